// Verifies access tokens (RFC 9068) locally: one issuer, one algorithm, this service as audience, and a type that no other token has.
import type { Principal } from '@reeve/access';
import { isId, ProblemError, type TenantId } from '@reeve/contracts';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';
import type { BaseConfig } from './config.ts';

export type Caller = Principal & { clientId: string; sessionId: string | null };
export type VerifyToken = (token: string) => Promise<Caller>;

const clockToleranceSeconds = 5;
const maxAgeSeconds = 600;

function callerOf(payload: JWTPayload): Caller {
  const { sub, client_id: clientId, scope, tid, sid, roles } = payload;
  if (typeof sub !== 'string' || sub === '' || typeof clientId !== 'string' || clientId === '') {
    throw new ProblemError('token_invalid');
  }
  const tenantId: TenantId | null = isId('tenant', tid) ? tid : null;
  const scopes = typeof scope === 'string' ? scope.split(' ') : [];
  // `tenant:<id>` and the claim `tid` have to agree; the policies then speak of the plain scope `tenant`.
  const granted = scopes.filter(one => !one.startsWith('tenant:'));
  if (tenantId && scopes.some(one => one.startsWith('tenant:'))) granted.push('tenant');
  const own = sub === clientId;
  const type = own ? (scopes.includes('internal:identities') ? 'service' : 'client') : 'user';
  return {
    type,
    id: sub,
    tenantId,
    scopes: granted,
    roles: Array.isArray(roles) ? roles.filter(role => typeof role === 'string') : [],
    clientId,
    sessionId: typeof sid === 'string' ? sid : null,
  };
}

/** For tokens that are meant for this service. The returned function throws `token_invalid`, or `dependency_unavailable` when the issuer's keys cannot be had. */
export function createTokenVerifier(config: BaseConfig): VerifyToken {
  const { REEVE_ISSUER: issuer, REEVE_SELF_URL: audience, REEVE_ISSUER_ADDRESS: address = issuer } = config;
  const keys = createRemoteJWKSet(new URL(`${address}/jwks`), { cooldownDuration: 5_000, timeoutDuration: 3_000 });
  return async token => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['ES256'],
        typ: 'at+jwt',
        clockTolerance: clockToleranceSeconds,
        maxTokenAge: maxAgeSeconds,
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
