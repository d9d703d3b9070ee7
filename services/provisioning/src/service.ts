// provisioning: the source of truth for tenants, users, their groups and external identities. Every part is built and
// every route mounted here.
import { createApp, createFoundation, diagnosticsRoutes, type Logger, type Service } from '@reeve/service-kit';
import type { Config } from './config.ts';
import { contents } from './contents.ts';
import { createDirectory } from './directories/create-directory.ts';
import { deleteDirectory } from './directories/delete-directory.ts';
import { directories as directoriesOf } from './directories/directory.ts';
import { listDirectories } from './directories/list-directories.ts';
import { readDirectory } from './directories/read-directory.ts';
import { rotateDirectoryToken } from './directories/rotate-token.ts';
import { updateDirectory } from './directories/update-directory.ts';
import { addMember, removeMember } from './groups/change-members.ts';
import { createGroup } from './groups/create-group.ts';
import { deleteGroup } from './groups/delete-group.ts';
import { emptyDeletedGroups } from './groups/empty-deleted-groups.ts';
import { groups as groupsOf } from './groups/group.ts';
import { listGroups } from './groups/list-groups.ts';
import { listMembers } from './groups/list-members.ts';
import { readGroup } from './groups/read-group.ts';
import { updateGroup } from './groups/update-group.ts';
import { identityConflicts as identityConflictsOf } from './identities/conflict.ts';
import { dismissIdentityConflict, listIdentityConflicts } from './identities/conflict-routes.ts';
import { findIdentity } from './identities/find-identity.ts';
import { foreseeIdentity } from './identities/foresee-identity.ts';
import { identities as identitiesOf } from './identities/identity.ts';
import { linkSignedIn, linkUserIdentity } from './identities/link-identity.ts';
import { listUserIdentities } from './identities/list-identities.ts';
import { resolveIdentity } from './identities/resolve-identity.ts';
import { unlinkUserIdentity } from './identities/unlink-identity.ts';
import { authenticateDirectory } from './scim/authenticate-directory.ts';
import { createScimUser } from './scim/create-user.ts';
import { findScimUsers } from './scim/find-users.ts';
import { notOfferedInScim } from './scim/not-offered.ts';
import { patchScimUser } from './scim/patch-user.ts';
import { readScimUser } from './scim/read-user.ts';
import { createTenant } from './tenants/create-tenant.ts';
import { listTenants } from './tenants/list-tenants.ts';
import { readTenant } from './tenants/read-tenant.ts';
import { resumeTenant, suspendTenant } from './tenants/switch-tenant.ts';
import { ownTenantDirectory, tenants as tenantsOf } from './tenants/tenant.ts';
import { updateTenant } from './tenants/update-tenant.ts';
import { createUser } from './users/create-user.ts';
import { listUsers } from './users/list-users.ts';
import { readUser } from './users/read-user.ts';
import { deactivateUser, reactivateUser } from './users/switch-user.ts';
import { updateUser } from './users/update-user.ts';
import { users as usersOf } from './users/user.ts';

export function createService(config: Config, log: Logger): Service {
  const foundation = createFoundation('provisioning', config, {
    log,
    contents,
    own: {
      async person(tenantId, userId) {
        const entry = await foundation.store.collection(usersOf).in(tenantId).get(userId);
        return entry && { status: entry.state.status, roles: entry.state.roles };
      },
    },
  });
  const { store, bus, verifyToken, ready, stop } = foundation;
  const { clock } = store;
  const selfUrl = config.REEVE_SELF_URL;
  const tenants = store.collection(tenantsOf);
  const users = store.collection(usersOf);
  const identities = store.collection(identitiesOf);
  const conflicts = store.collection(identityConflictsOf);
  const directories = store.collection(directoriesOf);
  const groups = store.collection(groupsOf);

  const app = createApp({
    name: 'provisioning',
    purpose:
      'The source of truth for tenants, users, groups, external identities, and directories that push users by SCIM.',
    config,
    log,
    store,
    tenants: ownTenantDirectory(tenants),
    verifyToken,
    assertSignIn: foundation.assertSignIn,
    authenticate: { directory: authenticateDirectory({ directories }) },
    ready,
    routes: [
      ...diagnosticsRoutes(foundation),
      createTenant({ tenants, clock }),
      listTenants({ tenants }),
      readTenant({ tenants }),
      updateTenant({ tenants }),
      suspendTenant({ tenants }),
      resumeTenant({ tenants }),
      createUser({ users, clock }),
      listUsers({ users }),
      readUser({ users }),
      updateUser({ users, clock }),
      deactivateUser({ users, clock }),
      reactivateUser({ users, clock }),
      createGroup({ groups, clock }),
      listGroups({ groups }),
      readGroup({ groups }),
      updateGroup({ groups }),
      deleteGroup({ groups, clock }),
      listMembers({ groups, users }),
      addMember({ groups, users, clock }),
      removeMember({ groups, users, clock }),
      createDirectory({ directories, clock, selfUrl }),
      listDirectories({ directories, selfUrl }),
      readDirectory({ directories, selfUrl }),
      updateDirectory({ directories, selfUrl }),
      rotateDirectoryToken({ directories, selfUrl }),
      deleteDirectory({ directories, clock }),
      createScimUser({ users, clock, selfUrl }),
      findScimUsers({ users, selfUrl }),
      readScimUser({ users, selfUrl }),
      patchScimUser({ users, clock, selfUrl }),
      ...notOfferedInScim(),
      resolveIdentity({ tenants, users, identities, conflicts, store }),
      foreseeIdentity({ tenants, users, identities }),
      findIdentity({ users, identities }),
      linkSignedIn({ tenants, users, identities, conflicts, clock }),
      linkUserIdentity({ users, identities, conflicts, clock }),
      listUserIdentities({ users, identities }),
      unlinkUserIdentity({ users, identities, clock }),
      listIdentityConflicts({ conflicts }),
      dismissIdentityConflict({ conflicts, clock }),
    ],
  });

  return {
    app,
    async start() {
      await foundation.start();
      await bus.subscribe('provisioning.groups', emptyDeletedGroups({ users, groups, clock }));
    },
    stop,
  };
}
