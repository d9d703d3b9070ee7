import { changeExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { type Alert, type Alerts, acknowledge, alertsPath, alertView, viewOf } from './alert.ts';

export const acknowledgeAlert = ({ alerts, clock }: { alerts: Alerts; clock: Clock }) =>
  tenantRoute({
    method: 'post',
    path: `${alertsPath}/{alertId}:acknowledge`,
    summary: 'Say that somebody has dealt with it; the same found again after that is a new alert',
    action: 'audit:configure',
    versioned: true,
    body: z.strictObject({ note: z.string().trim().min(1).max(1_000).optional() }).default({}),
    response: alertView,
    async handle({ tenantId, params: { alertId: id }, body: { note = null }, cause, expectedVersion }) {
      const { type, id: actorId, name } = cause.actor;
      const how = { by: { type, id: actorId, name }, note, at: clock.now().toISOString() };
      const decide = (alert: Alert) => acknowledge({ tenantId, id }, alert, how);
      const entry = await changeExisting(alerts.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: viewOf(entry), version: entry.version };
    },
  });
