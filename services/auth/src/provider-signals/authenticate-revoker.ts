// Who asks for the revocation of somebody's tokens: an identity provider, by what it has signed, or a machine of a
// tenant, by an access token of ours. Either speaks for people of certain connections, and for nobody else.
import type { Access } from '@reeve/access';
import { type Cause, isCanonicalJws, ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { causeOf, type Logger, type TenantDirectory, type VerifyToken } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import type { Request } from 'express';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { atOf, type Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import type { UsedOnce } from '../used-once.ts';
import { providerCause } from './provider-cause.ts';
import { assertionType, checkedAssertion } from './revocation-assertion.ts';

export type RevokerParts = {
  connections: ConnectionDirectory;
  kinds: Kinds;
  tenants: TenantDirectory;
  verifyToken: VerifyToken;
  access: Access;
  once: UsedOnce;
  clock: Clock;
  log: Logger;
  /** The URL of the endpoint, which is what such a JWT is for. */
  audience: string;
};

export type Revoker = {
  speaksFor: readonly { connection: TenantEntry<Connection>; cause: Cause }[];
  /** What it has brought may come again: nothing was done by it. */
  release: () => Promise<void>;
};

/** Throws `token_missing`, `token_invalid`, `access_denied`, or `dependency_unavailable`. */
export async function authenticateRevoker(parts: RevokerParts, request: Request): Promise<Revoker> {
  const header = request.get('Authorization');
  if (header === undefined) throw new ProblemError('token_missing');
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header)?.[1];
  if (token === undefined || !isCanonicalJws(token)) throw new ProblemError('token_invalid');
  return typeOf(token) === assertionType ? byProvider(parts, request, token) : byMachine(parts, request, token);
}

/** Says which of two ways to go, each of which demands it of what is verified. */
function typeOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).typ?.toLowerCase();
  } catch {
    throw new ProblemError('token_invalid');
  }
}

function namesIn(token: string): { issuer: unknown; ourName: unknown } {
  try {
    const { iss: issuer, sub: ourName } = decodeJwt(token);
    return { issuer, ourName };
  } catch {
    throw new ProblemError('token_invalid');
  }
}

/**
 * Its names are looked up before anything is verified, and say only by whose keys that is to be done. A provider may be
 * that of several connections, also in several tenants, where each is judged by itself.
 */
async function candidatesFor({ connections, kinds }: RevokerParts, token: string): Promise<TenantEntry<Connection>[]> {
  const { issuer, ourName } = namesIn(token);
  if (typeof issuer !== 'string' || issuer === '') return [];
  return (await connections.activeBy(issuer)).filter(({ state }) => {
    const expected = (kinds[state.kind] as ConnectionKind).signals.ourName(state.settings);
    return expected === null || expected === ourName;
  });
}

async function byProvider(parts: RevokerParts, request: Request, token: string): Promise<Revoker> {
  const speaksFor: { connection: TenantEntry<Connection>; cause: Cause }[] = [];
  const used: [connectionId: string, jti: string][] = [];
  const release = async () => void (await Promise.all(used.map(one => parts.once.forget(...one))));
  try {
    for (const connection of await candidatesFor(parts, token)) {
      const cause = providerCause(request, connection);
      const proof = await believed(parts, { connection, cause, token });
      if (!proof || (await parts.tenants.findNow(connection.tenantId))?.status !== 'active') continue;
      if (!(await parts.once.use(connection.id, proof.jti, proof.until))) continue;
      used.push([connection.id, proof.jti]);
      speaksFor.push({ connection, cause });
    }
  } catch (error) {
    // It comes again: of those that believed it by then nothing was done.
    await release();
    throw error;
  }
  if (speaksFor.length === 0) throw new ProblemError('token_invalid');
  return { speaksFor, release };
}

async function believed(
  { kinds, clock, log, audience }: RevokerParts,
  { connection, cause, token }: { connection: TenantEntry<Connection>; cause: Cause; token: string },
) {
  const { tenantId, id: connectionId, state } = connection;
  const { signals }: ConnectionKind = kinds[state.kind];
  try {
    const claims = await signals.read(atOf(tenantId, connection, cause), { token, type: assertionType });
    const ourName = signals.ourName(state.settings);
    return checkedAssertion(claims, { issuer: state.issuer, audience, ourName, now: clock.now() });
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    log.warn({ tenantId, connectionId, step: error.step, seen: error.seen }, 'a request for revocation is refused');
    if (error.step.startsWith('provider_'))
      throw new ProblemError('dependency_unavailable', 'your keys could not be fetched', {
        cause: error,
        retryAfterSeconds: 5,
      });
    return null;
  }
}

/** It may do no more by this than it may do without: it speaks for the people of its own tenant. */
async function byMachine(parts: RevokerParts, request: Request, token: string): Promise<Revoker> {
  const caller = await parts.verifyToken(token, parts.clock.now());
  // One that is bound to a key would need a proof, which goes with `DPoP` and not with `Bearer`.
  if (caller.boundTo != null) throw new ProblemError('token_invalid');
  const { tenantId } = caller;
  if (caller.type !== 'client' || tenantId === null)
    throw new ProblemError('access_denied', 'it takes a machine of a tenant');
  if ((await parts.tenants.findNow(tenantId))?.status !== 'active') throw new ProblemError('tenant_suspended');
  const resource = { type: 'tenant', tenantId } as const;
  const decided = parts.access.decide({ principal: caller, action: 'sessions:write', resource });
  if (!decided.allowed) throw new ProblemError('access_denied');
  const { clientId } = caller;
  const known = {
    principal: caller,
    actor: { type: 'client', id: clientId, name: null, via: 'client' } as const,
    sessionId: null,
  };
  const cause = { ...causeOf(request, known), decision: { rule: decided.rule, basis: decided.basis } };
  const own = await parts.connections.activeOf(tenantId);
  return {
    speaksFor: own.map(connection => ({ connection: { ...connection, tenantId }, cause })),
    release: () => Promise.resolve(),
  };
}
