// Logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6): by which the issuer ends sessions here.
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ReeveError } from '../errors.ts';
import type { Fetch } from '../issuer.ts';

export type Ending = { who: { sid: string } | { sub: string }; jti: string; until: Date };

const event = 'http://schemas.openid.net/event/backchannel-logout';
const clockToleranceSeconds = 5;
const maxAgeSeconds = 600;
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

export function createLogoutTokens({ issuer, clientId, fetch }: { issuer: string; clientId: string; fetch: Fetch }) {
  let keys: { of: string; set: JWTVerifyGetKey } | null = null;

  /** Throws `logout_token_invalid`. Whether it has come before is for the caller to know. */
  return async (token: string, { jwksUri, now }: { jwksUri: string; now: number }): Promise<Ending> => {
    if (keys?.of !== jwksUri)
      keys = {
        of: jwksUri,
        set: createRemoteJWKSet(new URL(jwksUri), { [customFetch]: fetch, cooldownDuration: 5_000 }),
      };
    const { payload } = await jwtVerify(token, keys.set, {
      issuer,
      audience: clientId,
      algorithms: ['RS256', 'ES256'],
      // So that no ID token or access token of ours is one.
      typ: 'logout+jwt',
      clockTolerance: clockToleranceSeconds,
      maxTokenAge: maxAgeSeconds,
      currentDate: new Date(now),
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
    }).catch((cause: unknown) => {
      throw new ReeveError('logout_token_invalid', undefined, { cause });
    });
    const { events, jti, sub, sid } = payload as Record<string, unknown>;
    const told = typeof events === 'object' && events !== null ? (events as Record<string, unknown>)[event] : undefined;
    if (typeof told !== 'object' || told === null || Array.isArray(told))
      throw new ReeveError('logout_token_invalid', 'it tells of something else');
    if ('nonce' in payload) throw new ReeveError('logout_token_invalid', 'it has a nonce');
    const [id, session, person] = [text(jti), text(sid), text(sub)];
    if (id === null || (session === null && person === null))
      throw new ReeveError('logout_token_invalid', 'it names nobody');
    const who = session === null ? { sub: person ?? '' } : { sid: session };
    return { who, jti: id, until: new Date(now + (maxAgeSeconds + 60) * 1_000) };
  };
}
