import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Alerts, alertsPath, alertView, viewOf } from './alert.ts';
import { ruleIds } from './rules.ts';

export const listAlerts = ({ alerts }: { alerts: Alerts }) =>
  tenantRoute({
    method: 'get',
    path: alertsPath,
    summary: 'List the alerts, newest first',
    action: 'audit:read',
    crossOrigin: true,
    query: z.strictObject({
      ...pageQuery.shape,
      status: z.enum(['open', 'acknowledged']).optional(),
      rule: z.enum(ruleIds).optional(),
    }),
    response: pageOf(alertView),
    async handle({ tenantId, query: { status, rule, ...page } }) {
      const own = alerts.in(tenantId);
      const narrowed = rule === undefined ? page : { ...page, only: { rule } };
      if (status !== undefined) return paged(await own.list('byStatus', { status }, narrowed), viewOf);
      return paged(
        await (rule === undefined ? own.list('newest', {}, page) : own.list('byRule', { rule }, page)),
        viewOf,
      );
    },
  });
