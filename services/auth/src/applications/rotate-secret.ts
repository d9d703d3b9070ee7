import { assertReaches, changeExisting, type Route } from '@reeve/service-kit';
import type { Clock, Collections } from '@reeve/store';
import { z } from 'zod';
import {
  type Application,
  type Applications,
  applicationWithSecret,
  newClientSecret,
  rotateSecret,
  viewOf,
} from './application.ts';
import type { ApplicationDirectory } from './application-directory.ts';
import { applicationRoutes } from './routes.ts';
import { lastUsedOf, type SecretUses } from './secret-uses.ts';

type Parts = {
  applications: Applications;
  uses: Collections<SecretUses>;
  directory: ApplicationDirectory;
  clock: Clock;
};

const longestKept = 7 * 86_400;
const body = z.strictObject({ keepPreviousSeconds: z.number().int().min(0).max(longestKept).default(0) });

export const rotateApplicationSecret = ({ applications, uses, directory, clock }: Parts): Route[] =>
  applicationRoutes('/{clientId}:rotate-secret', {
    method: 'post',
    summary: 'Give an application a new secret, shown once; the one until now counts for keepPreviousSeconds',
    action: 'clients:write',
    versioned: true,
    body: { ofPlatform: body, ofTenant: body },
    response: applicationWithSecret,
    withoutSecrets: application => ({ ...application, clientSecret: null }),
    async handle({ owner, caller, params: { clientId: id }, body: { keepPreviousSeconds }, cause, expectedVersion }) {
      const { clientSecret, secretSha256 } = newClientSecret();
      const by = { secretSha256, keepMs: keepPreviousSeconds * 1_000 };
      const decide = (application: Application) => {
        assertReaches(caller, application.areas);
        return rotateSecret({ id, owner, at: clock.now() }, application, by);
      };
      const entry = await changeExisting(applications.in(owner), id, decide, { cause, expectedVersion });
      directory.forget(id);
      const lastUsed = await lastUsedOf(uses, owner, id);
      return { body: { ...viewOf(entry, { owner, lastUsed }), clientSecret }, version: entry.version };
    },
  });
