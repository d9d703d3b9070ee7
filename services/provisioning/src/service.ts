// provisioning: the source of truth for tenants, users and their external identities. Every part is built and every slice mounted here.
import { createApp, createFoundation, createTokenVerifier, type Logger, type Service } from '@reeve/service-kit';
import type { Config } from './config.ts';
import { createDirectory } from './directories/create-directory.ts';
import { defineDirectories } from './directories/directory.ts';
import { listDirectories } from './directories/list-directories.ts';
import { defineIdentities } from './identities/identity.ts';
import { resolveIdentity } from './identities/resolve-identity.ts';
import { scimUsers } from './scim/scim-users.ts';
import { createTenant } from './tenants/create-tenant.ts';
import { listTenants } from './tenants/list-tenants.ts';
import { readTenant } from './tenants/read-tenant.ts';
import { suspendTenant } from './tenants/suspend-tenant.ts';
import { defineTenants, ownTenantDirectory } from './tenants/tenant.ts';
import { createUser } from './users/create-user.ts';
import { listUsers } from './users/list-users.ts';
import { readUser } from './users/read-user.ts';
import { deactivateUser, reactivateUser } from './users/switch-user.ts';
import { updateUser } from './users/update-user.ts';
import { defineUsers } from './users/user.ts';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('provisioning', config, { log });
  const { store } = foundation;
  const tenants = defineTenants(store);
  const users = defineUsers(store);
  const identities = defineIdentities(store);
  const directories = defineDirectories(store);
  const selfUrl = config.REEVE_SELF_URL;

  const app = createApp(
    {
      name: 'provisioning',
      config,
      log,
      store,
      tenants: ownTenantDirectory(tenants),
      verifyToken: createTokenVerifier(config),
      ready: foundation.ready,
    },
    {
      before: [scimUsers({ directories, users, clock: store.clock, selfUrl })],
      routes: [
        createDirectory({ directories, clock: store.clock, selfUrl }),
        listDirectories({ directories, selfUrl }),
        createTenant({ tenants, clock: store.clock }),
        listTenants({ tenants }),
        readTenant({ tenants }),
        suspendTenant({ tenants }),
        createUser({ users, clock: store.clock }),
        listUsers({ users }),
        readUser({ users }),
        updateUser({ users }),
        deactivateUser({ users }),
        reactivateUser({ users }),
        resolveIdentity({ users, identities, recordFact: store.recordFact, clock: store.clock }),
      ],
    },
  );

  return { app, start: foundation.start, stop: foundation.stop };
}
