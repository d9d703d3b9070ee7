import { changeExisting, type Route } from '@reeve/service-kit';
import type { Clock, Collections } from '@reeve/store';
import { type Applications, remove } from './application.ts';
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
    async handle({ owner, params: { clientId: id }, cause, expectedVersion }) {
      const which = { id, owner, at: clock.now() };
      await changeExisting(applications.in(owner), id, one => remove(which, one), { cause, expectedVersion });
      directory.forget(id);
      await uses.in(owner).remove(id);
      return { body: undefined };
    },
  });
