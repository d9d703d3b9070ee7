import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { resume, suspend, type Tenants, tenantView, viewOf } from './tenant.ts';

const switchBy =
  (decide: typeof suspend, { verb, summary }: { verb: 'suspend' | 'resume'; summary: string }) =>
  ({ tenants }: { tenants: Tenants }) =>
    tenantRoute({
      method: 'post',
      path: `/v1/tenants/{tenantId}:${verb}`,
      summary,
      action: 'tenants:write',
      versioned: true,
      response: tenantView,
      async handle({ tenantId: id, cause, expectedVersion }) {
        const entry = await changeExisting(tenants.in(id), id, tenant => decide(id, tenant), {
          cause,
          expectedVersion,
        });
        return { body: viewOf(entry), version: entry.version };
      },
    });

export const suspendTenant = switchBy(suspend, {
  verb: 'suspend',
  summary: 'Suspend a tenant: nobody of it gets in until it is resumed',
});

export const resumeTenant = switchBy(resume, {
  verb: 'resume',
  summary: 'Resume a suspended tenant: its people and directories get in again',
});
