import { invalidField } from '@reeve/contracts';
import { assertReaches, changeExisting, type Route } from '@reeve/service-kit';
import type { Clock, Collections } from '@reeve/store';
import { type Application, type Applications, applicationView, type Settings, update, viewOf } from './application.ts';
import type { ApplicationDirectory } from './application-directory.ts';
import { applicationSettings, contradictionIn, tenantsServed } from './application-settings.ts';
import { applicationRoutes } from './routes.ts';
import { lastUsedOf, type SecretUses } from './secret-uses.ts';

type Parts = {
  applications: Applications;
  uses: Collections<SecretUses>;
  directory: ApplicationDirectory;
  clock: Clock;
};

const ofPlatform = applicationSettings.extend({ tenants: tenantsServed }).partial();

export const updateApplication = ({ applications, uses, directory, clock }: Parts): Route[] =>
  applicationRoutes('/{clientId}', {
    method: 'patch',
    summary:
      'Change an application; when its areas or its authentication change, or it serves a tenant no more, tokens from ' +
      'before count no more',
    action: 'clients:write',
    versioned: true,
    body: { ofPlatform, ofTenant: ofPlatform.omit({ tenants: true }) },
    response: applicationView,
    async handle({ owner, caller, params: { clientId: id }, body, cause, expectedVersion }) {
      const change: Partial<Settings> = Object.fromEntries(
        Object.entries(body).filter(([, value]) => value !== undefined),
      );
      const which = { id, owner, at: clock.now() };
      const decide = (application: Application) => {
        const after = { ...application, ...change };
        for (const { areas } of [application, after]) assertReaches(caller, areas);
        const wrong = contradictionIn(after);
        if (wrong) throw invalidField(wrong.field, wrong.message);
        return update(which, application, change);
      };
      const entry = await changeExisting(applications.in(owner), id, decide, { cause, expectedVersion });
      directory.forget(id);
      const lastUsed = await lastUsedOf(uses, owner, id);
      return { body: viewOf(entry, { owner, lastUsed }), version: entry.version };
    },
  });
