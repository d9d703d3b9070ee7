import { assertReaches, changeExisting, type Route } from '@reeve/service-kit';
import type { Clock, Collections } from '@reeve/store';
import { type Application, type Applications, remove } from './application.ts';
import type { ApplicationDirectory } from './application-directory.ts';
import { applicationRoutes } from './routes.ts';
import type { SecretUses } from './secret-uses.ts';

type Parts = {
  applications: Applications;
  uses: Collections<SecretUses>;
  directory: ApplicationDirectory;
  clock: Clock;
};

export const deleteApplication = ({ applications, uses, directory, clock }: Parts): Route[] =>
  applicationRoutes('/{clientId}', {
    method: 'delete',
    summary: 'Delete an application; its secret and its tokens stop working at once',
    action: 'clients:write',
    versioned: true,
    status: 204,
    async handle({ owner, caller, params: { clientId: id }, cause, expectedVersion }) {
      const decide = (application: Application) => {
        assertReaches(caller, application.areas);
        return remove({ id, owner, at: clock.now() }, application);
      };
      await changeExisting(applications.in(owner), id, decide, { cause, expectedVersion });
      directory.forget(id);
      await uses.in(owner).remove(id);
      return { body: undefined };
    },
  });
