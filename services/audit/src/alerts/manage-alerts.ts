import { ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import { type Alert, type Alerts, acknowledge } from './alert.ts';
import { severities } from './rule.ts';
import { ruleIds } from './rules.ts';

type Parts = { alerts: Alerts; clock: Clock };

const path = '/v1/tenants/{tenantId}/audit/alerts' as const;

const alertView = z.object({
  id: z.string(),
  rule: z.enum(ruleIds),
  title: z.string(),
  severity: z.enum(severities),
  subject: z.string().describe('Whom or what it is about: an address, or the id of a user, connection, endpoint, …'),
  summary: z.string(),
  status: z.enum(['open', 'acknowledged']),
  raisedAt: z.string(),
  firstAt: z.string(),
  lastAt: z.string(),
  evidence: z
    .array(
      z.object({
        eventId: z.string().describe('…/audit/events/:id has the record'),
        type: z.string(),
        time: z.string(),
        actorId: z.string().nullable(),
        ip: z.string().nullable(),
      }),
    )
    .describe('The records that show it, newest first; at most 50'),
  acknowledgedAt: z.string().nullable(),
  acknowledgedBy: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  note: z.string().nullable(),
});

const shown = ({ id, state }: Entry<Alert>) => ({ id, ...state });

export const listAlerts = ({ alerts }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the alerts, newest first',
    action: 'audit:read',
    query: z.strictObject({
      ...pageQuery.shape,
      status: z.enum(['open', 'acknowledged']).optional(),
      rule: z.enum(ruleIds).optional(),
    }),
    response: pageOf(alertView),
    async handle({ tenantId, query: { status, rule, ...page } }) {
      const narrowed = { ...page, ...(rule === undefined ? {} : { where: { rule } }) };
      const collection = alerts.in(tenantId);
      const { items, nextCursor } =
        status === undefined
          ? await collection.list('newest', {}, narrowed)
          : await collection.list('byStatus', { status }, narrowed);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const readAlert = ({ alerts }: Parts) =>
  tenantRoute({
    method: 'get',
    path: `${path}/{alertId}`,
    summary: 'Read one alert with its evidence',
    action: 'audit:read',
    response: alertView,
    async handle({ tenantId, params }) {
      const entry = await alerts.in(tenantId).get(String(params['alertId']));
      if (!entry) throw new ProblemError('alert_unknown');
      return { body: shown(entry), version: entry.version };
    },
  });

export const acknowledgeAlert = ({ alerts, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${path}/{alertId}:acknowledge`,
    summary: 'Say that somebody has seen to it; the same found again after that is a new alert',
    action: 'audit:configure',
    body: z.strictObject({ note: z.string().trim().min(1).max(1_000).optional() }).default({}),
    response: alertView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const id = String(params['alertId']);
      const { type, id: actorId, name } = cause.actor;
      const how = {
        by: { type, id: actorId, name },
        note: body.note ?? null,
        at: clock.now().toISOString(),
      };
      const decide = (alert: Alert | null) => alert && acknowledge(tenantId, id, alert, how);
      const entry = await alerts.in(tenantId).change(id, decide, { cause, expectedVersion });
      if (!entry) throw new ProblemError('alert_unknown');
      return { body: shown(entry), version: entry.version };
    },
  });
