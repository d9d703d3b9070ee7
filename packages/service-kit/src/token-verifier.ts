// Verifies access tokens (RFC 9068) locally: one issuer, one algorithm, this service as audience, and a type that no
// other token has.
import { areas, type Principal } from '@reeve/access';
import { isCanonicalJws, isId, longestAccessTokenMs, ProblemError, type TenantId } from '@reeve/contracts';
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose';
import type { BaseConfig } from './config.ts';
import { peerFetch } from './peer-fetch.ts';

export type Caller = Principal & {
  clientId: string;
  sessionId: string | null;
  /** Of the sign-in, for decisions that ask how somebody signed in and how long ago. Null without one. */
  acr: string | null;
  authenticatedAt: Date | null;
  /** From which moment on tokens of the client counted when this one was issued (ISO 8601). Null for from ever. */
  clientTokensFrom: string | null;
  surface: string | null;
  /** What it was granted by, of a person's token. */
  grantId?: string | null;
  /** The thumbprint of the key that its token is bound to (RFC 9449). */
  boundTo?: string | null;
  /** Origins whose pages may read with this token. */
  origins?: readonly string[];
};

/** `cameAt` is when the request came: one that is long under way is not ended by the time of its token alone. */
export type VerifyToken = (token: string, cameAt?: Date) => Promise<Caller>;

const clockToleranceSeconds = 5;
const askAgainMs = 30_000;
const maxAgeSeconds = longestAccessTokenMs / 1_000 + 60;

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(one => typeof one === 'string') : []);

/** How far the token reaches in its tenant: everywhere, unless it names the areas that it is limited to. */
function reachOf(payload: JWTPayload): string[] {
  if (payload['areas'] === undefined) return ['tenant'];
  return texts(payload['areas']).filter(one => areas.some(area => area === one));
}

/** A way of binding that is not known here is none that could be checked. */
function keyOf({ cnf }: JWTPayload): string | null {
  if (cnf === undefined) return null;
  const jkt = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? text(cnf.jkt) : null;
  if (jkt === null) throw new ProblemError('token_invalid');
  return jkt;
}

/** Scopes that say what a token reaches, besides its tenant. */
const ofTokens = ['platform:admin', 'internal:identities', 'revocations:read', 'ssf.read', 'ssf.manage', 'bots:act'];

function callerOf(payload: JWTPayload): Caller {
  const { sub, client_id: clientId, scope, tid, auth_time: authTime } = payload;
  if (text(sub) === null || text(clientId) === null) throw new ProblemError('token_invalid');
  const tenantId: TenantId | null = isId('tenant', tid) ? tid : null;
  const scopes: string[] = (text(scope) ?? '').split(' ').filter(one => ofTokens.includes(one));
  if (tenantId) scopes.push(...reachOf(payload));
  const isOwn = sub === clientId;
  return {
    type: isOwn ? (scopes.includes('internal:identities') ? 'service' : 'client') : 'user',
    id: sub as string,
    tenantId,
    scopes,
    roles: texts(payload['roles']),
    platform: payload['platform'] === true,
    clientId: clientId as string,
    sessionId: text(payload['sid']),
    acr: text(payload['acr']),
    authenticatedAt: typeof authTime === 'number' ? new Date(authTime * 1_000) : null,
    clientTokensFrom: text(payload['client_tokens_from']),
    surface: text(payload['surface']),
    grantId: text(payload['grant_id']),
    boundTo: keyOf(payload),
  };
}

/**
 * For tokens that are meant for this service. The returned function throws `token_invalid`, or `dependency_unavailable`
 * when the issuer's keys cannot be had.
 */
export function createTokenVerifier(config: BaseConfig): VerifyToken {
  const { REEVE_ISSUER: issuer, REEVE_SELF_URL: audience, REEVE_ISSUER_ADDRESS: address = issuer } = config;
  const keys = createRemoteJWKSet(new URL(`${address}/jwks`), {
    cooldownDuration: 1_000,
    timeoutDuration: 3_000,
    [customFetch]: peerFetch,
    // What a key has signed that is shown no more counts for so much longer.
    cacheMaxAge: 60_000,
  });
  let askedAt = 0;
  /** In good time, so that no request waits for it, nor is refused because auth was slow once. */
  function askAgain() {
    if (Date.now() - askedAt < askAgainMs) return;
    askedAt = Date.now();
    if (keys.fresh) void keys.reload().catch(() => undefined);
  }
  return async (token, cameAt) => {
    if (!isCanonicalJws(token)) throw new ProblemError('token_invalid');
    askAgain();
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['ES256'],
        typ: 'at+jwt',
        clockTolerance: clockToleranceSeconds,
        maxTokenAge: maxAgeSeconds,
        ...(cameAt ? { currentDate: cameAt } : {}),
        requiredClaims: ['exp', 'iat', 'sub', 'jti'],
      });
      return callerOf(payload);
    } catch (cause) {
      if (cause instanceof ProblemError) throw cause;
      const ourFault =
        !(cause instanceof errors.JOSEError) || cause.code === 'ERR_JWKS_TIMEOUT' || cause.code === 'ERR_JOSE_GENERIC';
      if (ourFault)
        throw new ProblemError('dependency_unavailable', 'the keys of the issuer could not be fetched', {
          cause,
          retryAfterSeconds: 2,
        });
      throw new ProblemError('token_invalid', undefined, { cause });
    }
  };
}
