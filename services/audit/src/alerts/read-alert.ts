import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Alerts, alertsPath, alertView, viewOf } from './alert.ts';

export const readAlert = ({ alerts }: { alerts: Alerts }) =>
  tenantRoute({
    method: 'get',
    path: `${alertsPath}/{alertId}`,
    summary: 'Read one alert with its evidence',
    action: 'audit:read',
    crossOrigin: true,
    response: alertView,
    async handle({ tenantId, params }) {
      const entry = await readExisting(alerts.in(tenantId), params.alertId);
      return { body: viewOf(entry), version: entry.version };
    },
  });
