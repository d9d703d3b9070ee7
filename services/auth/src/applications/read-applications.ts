import { paged, pageOf, pageQuery, type Route, readExisting } from '@reeve/service-kit';
import type { Collections } from '@reeve/store';
import { type Applications, applicationView, viewOf } from './application.ts';
import { applicationRoutes } from './routes.ts';
import { lastUsedOf, type SecretUses } from './secret-uses.ts';

type Parts = { applications: Applications; uses: Collections<SecretUses> };

export const listApplications = ({ applications, uses }: Parts): Route[] =>
  applicationRoutes('', {
    method: 'get',
    summary: 'List applications',
    action: 'clients:read',
    query: pageQuery,
    response: pageOf(applicationView),
    async handle({ owner, query }) {
      const page = await applications.in(owner).list('inOrder', {}, query);
      const used = await uses.in(owner).getAll(page.items.map(({ id }) => id));
      const lastUsed = new Map(used.map(({ id, state }) => [id, state.lastUsed]));
      return paged(page, entry => viewOf(entry, { owner, lastUsed: lastUsed.get(entry.id) }));
    },
  });

export const readApplication = ({ applications, uses }: Parts): Route[] =>
  applicationRoutes('/{clientId}', {
    method: 'get',
    summary: 'Read an application',
    action: 'clients:read',
    response: applicationView,
    async handle({ owner, params: { clientId } }) {
      const entry = await readExisting(applications.in(owner), clientId);
      const lastUsed = await lastUsedOf(uses, owner, clientId);
      return { body: viewOf(entry, { owner, lastUsed }), version: entry.version };
    },
  });
