// Shared Signals from an identity provider, pushed to a URL that each connection has of its own (RFC 8935): what says
// that a person is not to be signed in any more ends their sessions before it is answered.
import { ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { type Logger, openRoute, requestIdOf, type TenantDirectory } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import type { Request } from 'express';
import { z } from 'zod';
import { atOf, type Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { textReader } from '../read-text.ts';
import type { Session } from '../sessions/session.ts';
import type { UsedOnce } from '../used-once.ts';
import type { EndSessionsOf } from './end-sessions.ts';
import { providerCause } from './provider-cause.ts';
import { hadBegunBy, oldestSeconds, SecurityEventError, securityEventIn, securityEventType } from './security-event.ts';

type Parts = {
  connections: ConnectionDirectory;
  kinds: Kinds;
  tenants: TenantDirectory;
  endSessionsOf: EndSessionsOf;
  once: UsedOnce;
  issuer: string;
  clock: Clock;
  log: Logger;
};

type SecurityEvent = ReturnType<typeof securityEventIn>;

const mediaType = `application/${securityEventType}`;
const readToken = textReader(mediaType, '64kb');
const refusal = z.object({ err: z.string(), description: z.string() });

export const receiveSignals = (parts: Parts) =>
  openRoute({
    method: 'post',
    path: '/signals/{connectionId}',
    summary: 'Take a security event of an identity provider (Shared Signals, RFC 8935)',
    open: 'what an identity provider says is signed by it; what somebody else says ends nothing',
    answer: 'json',
    ownBody: true,
    accepts: [mediaType],
    status: 202,
    response: refusal.optional(),
    async handle({ request, params: { connectionId } }) {
      const connection = await parts.connections.findAnywhere(connectionId);
      if (!connection || !(await isInUse(parts, connection))) throw new ProblemError('not_found');
      // Said twice, for whose first answer was lost: it is answered as then, and nothing more follows from it.
      const token = await readToken(request);
      try {
        await take(parts, request, { connection, event: await eventIn(parts, request, { connection, token }) });
      } catch (error) {
        if (!(error instanceof SecurityEventError)) throw error;
        const about = { requestId: requestIdOf(request), tenantId: connection.tenantId, connectionId };
        parts.log.warn({ ...about, error: error.code, problem: error.message }, 'a security event is refused');
        return { body: { err: error.code, description: error.message }, status: 400 };
      }
      return { body: undefined };
    },
  });

const isInUse = async ({ tenants }: Parts, { tenantId, state }: TenantEntry<Connection>): Promise<boolean> =>
  state.status === 'active' && (await tenants.findNow(tenantId))?.status === 'active';

/** Throws SecurityEventError, or `dependency_unavailable`. */
async function eventIn(
  { kinds, issuer: own, clock }: Parts,
  request: Request,
  { connection, token }: { connection: TenantEntry<Connection>; token: string },
): Promise<SecurityEvent> {
  const { id, tenantId, state } = connection;
  const { signals }: ConnectionKind = kinds[state.kind];
  const at = atOf(tenantId, connection, providerCause(request, connection));
  const claims = await signals.read(at, { token, type: securityEventType }).catch((cause: unknown) => {
    if (!(cause instanceof StepError)) throw cause;
    if (cause.step === 'id_token_type')
      throw new SecurityEventError('invalid_request', `typ is not ${securityEventType}`);
    if (!cause.step.startsWith('provider_'))
      throw new SecurityEventError('invalid_key', 'it is signed by no key of the connection', { cause });
    throw new ProblemError('dependency_unavailable', 'your keys could not be fetched', { cause, retryAfterSeconds: 5 });
  });
  const ourName = signals.ourName(state.settings);
  const audiences = [`${own}/signals/${id}`, ...(ourName === null ? [] : [ourName])];
  return securityEventIn(claims, { issuer: state.issuer, audiences, now: clock.now() });
}

async function take(
  { endSessionsOf, once, clock, log }: Parts,
  request: Request,
  { connection, event }: { connection: TenantEntry<Connection>; event: SecurityEvent },
): Promise<void> {
  const { jti, uri, at, whose, endsSessions } = event;
  const about = { tenantId: connection.tenantId, connectionId: connection.id, event: uri };
  const until = new Date(clock.now().getTime() + 2 * oldestSeconds * 1_000);
  if (await once.isUsed(connection.id, jti)) return;
  // Used up when it is done: of two that come at once, or after a crash, both end the same sessions.
  const done = () => once.use(connection.id, jti, until);
  if (!endsSessions || !whose) {
    await done();
    return log.info(about, 'nothing follows from a security event');
  }
  const { subject, sessionId } = whose;
  const isMeant = ({ signedInAt, createdAt, providerSession, connectionId }: Session) =>
    hadBegunBy(at, signedInAt ?? createdAt) &&
    (sessionId === null || (connectionId === connection.id && providerSession?.id === sessionId));
  const cause = providerCause(request, connection);
  const isKnown = await endSessionsOf(connection, {
    subject,
    because: 'provider_signal',
    cause,
    at,
    isOfAll: sessionId === null,
    only: isMeant,
  });
  await done();
  if (!isKnown) log.info(about, 'a security event is about nobody who is known');
}
