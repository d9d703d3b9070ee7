import { ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { type Installations, installationView, viewOf } from './installation.ts';

type Parts = { installations: Installations; selfUrl: string };

export const listInstallations = ({ installations, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations',
    summary: 'List installations in the order of their request',
    action: 'installations:read',
    query: pageQuery,
    response: pageOf(installationView),
    async handle({ tenantId, query }) {
      const page = await installations.in(tenantId).list('inOrder', {}, query);
      return { body: { items: page.items.map(entry => viewOf(entry, selfUrl)), nextCursor: page.nextCursor } };
    },
  });

export const readInstallation = ({ installations, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/installations/{installationId}',
    summary: 'Read an installation',
    action: 'installations:read',
    response: installationView,
    async handle({ tenantId, params }) {
      const entry = await installations.in(tenantId).get(String(params['installationId']));
      if (!entry) throw new ProblemError('not_found');
      return { body: viewOf(entry, selfUrl), version: entry.version };
    },
  });
