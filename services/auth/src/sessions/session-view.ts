// A session as callers and pages see it: with the words that people recognise it by.
import type { TenantId } from '@reeve/contracts';
import type { Places } from '@reeve/service-kit/places';
import type { Entry } from '@reeve/store';
import { z } from 'zod';
import type { Connections } from '../connections/connection.ts';
import { acrOf, amrOf } from '../factors/level.ts';
import { describe, deviceOf } from './describe-session.ts';
import { riskOf, riskSchema } from './familiar.ts';
import type { Session } from './session.ts';

export const sessionStatus = z.enum(['live', 'revoked', 'expired']);

export const sessionView = z.object({
  id: z.string(),
  description: z.string().describe('As `Firefox on Linux, Berlin, signed in by Okta (SAML)`'),
  userId: z.string(),
  email: z.string().nullable(),
  connectionId: z.string(),
  connectionName: z.string().nullable().describe('Null for a connection that is gone'),
  method: z.string().describe('The kind of the connection'),
  surface: z.string(),
  delegate: z
    .object({ clientId: z.string(), name: z.string(), by: z.enum(['id_jag', 'bot']) })
    .nullable()
    .describe('The assistant or bot that acts for the person in it; null where they are in it themselves'),
  applications: z.array(z.string()).describe('Those that the person went to in it'),
  amr: z.array(z.string()),
  acr: z.string().nullable(),
  status: sessionStatus,
  device: z.object({ browser: z.string().nullable(), system: z.string().nullable() }),
  ip: z.string().nullable(),
  place: z.string().nullable().describe('By the operator’s database; null without one'),
  userAgent: z.string().nullable(),
  risk: riskSchema.describe('Of the last sign-in in it'),
  createdAt: z.string(),
  authenticatedAt: z.string(),
  lastSeenAt: z.string(),
  overAt: z.string().describe('When it is over, or was, unless it is used'),
  expiresAt: z.string().describe('It goes on no longer, however much it is used'),
});

export type SessionView = z.infer<typeof sessionView>;

export type ViewParts = {
  connections: Connections;
  /** Null where the operator has no database of places. */
  places: Places | null;
};

/** In their order. */
export async function viewsOf(
  { connections, places }: ViewParts,
  tenantId: TenantId,
  entries: readonly Entry<Session>[],
): Promise<SessionView[]> {
  const ids = [...new Set(entries.map(({ state }) => state.connectionId))];
  const found = await connections.in(tenantId).getAll(ids);
  const names = new Map(found.map(({ id, state }) => [id, state.name]));
  return entries.map(({ id, state }) => {
    const { userId, email, connectionId, method, surface, applications, status, ip, userAgent } = state;
    const { createdAt, authenticatedAt, lastSeenAt = createdAt, expiresAt, overAt = expiresAt } = state;
    const { delegate } = state;
    const place = places?.locate(ip)?.name ?? null;
    const connection = names.get(connectionId) ?? null;
    return {
      id,
      description: describe(state, { connection, place }),
      userId,
      email,
      connectionId,
      connectionName: connection,
      method,
      surface,
      delegate: delegate ? { clientId: delegate.clientId, name: delegate.name, by: delegate.by } : null,
      applications,
      amr: amrOf(state),
      acr: acrOf(state),
      status,
      device: deviceOf(userAgent),
      ip,
      place,
      userAgent,
      risk: riskOf(state.riskSigns ?? []),
      createdAt,
      authenticatedAt,
      lastSeenAt,
      overAt: overAt < expiresAt ? overAt : expiresAt,
      expiresAt,
    };
  });
}

export async function viewOf(parts: ViewParts, tenantId: TenantId, entry: Entry<Session>): Promise<SessionView> {
  const [view] = await viewsOf(parts, tenantId, [entry]);
  if (!view) throw new TypeError('a session was given, and none came back');
  return view;
}
