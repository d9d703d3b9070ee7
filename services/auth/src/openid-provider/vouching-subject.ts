// For whom an identity assertion is asked: by an ID token or a refresh token of ours, of the application that asks. It
// leads to the session that it was issued in, as that is now; what the token says of the person counts for nothing.
import { idSchema, isCanonicalJws, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { errors, jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider';
import { z } from 'zod';
import type { KnownApplication } from '../applications/known-application.ts';
import type { LiveSession, SessionRef } from '../sessions/live-sessions.ts';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { isRefused, type Refused, refused } from '../vouching/vouching.ts';
import { type AccountParts, findServed, refOfToken } from './accounts.ts';
import { ownKeySet } from './presented-tokens.ts';

/** Of ours none comes near it. */
const longest = 8_000;

const idTokenSchema = z.object({
  sub: idSchema('user'),
  // For that application alone.
  aud: z.string(),
  tid: idSchema('tenant'),
  sid: idSchema('session'),
});

export type SubjectToken = { token: string; type: 'id_token' | 'refresh_token' };
type Named = SessionRef & { userId: string };
type Parts = AccountParts & { issuer: string; keys: readonly SigningKey[]; clock: Clock };
/** With the tenant whose it is, where that is known, and the application has to do with it. */
type NoSubject = Refused & { tenantId: TenantId | null };
type By = { application: KnownApplication; jkt: string | undefined };

export function createFindVouchingSubject(provider: Provider, parts: Parts) {
  const keySet = ownKeySet(parts.keys);
  const noSubject = refused('subject_token', 'it is no token of ours that counts, or is of another application');

  async function byIdToken(token: string, { application }: By): Promise<Named | Refused> {
    if (token.length > longest || !isCanonicalJws(token)) return noSubject;
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keySet, {
        issuer: parts.issuer,
        audience: application.id,
        algorithms: ['RS256', 'ES256'],
        currentDate: parts.clock.now(),
        requiredClaims: ['exp', 'iat'],
      });
      const said = idTokenSchema.safeParse(payload);
      // Whatever else we sign says its type: access tokens, logout tokens, security events, identity assertions.
      if (protectedHeader.typ !== undefined || !said.success) return noSubject;
      return { tenantId: said.data.tid, sessionId: said.data.sid, userId: said.data.sub };
    } catch (error) {
      if (error instanceof errors.JOSEError) return noSubject;
      throw error;
    }
  }

  /** It stays as it is: nothing follows it here. */
  async function byRefreshToken(token: string, { application, jkt }: By): Promise<Named | Refused> {
    const found = await provider.RefreshToken.find(token);
    if (!found || found.consumed !== undefined || found.clientId !== application.id) return noSubject;
    // Only by `openid` an application is told who somebody is.
    if (found.scope?.split(' ').includes('openid') !== true) return noSubject;
    if (found.jkt !== undefined && found.jkt !== jkt)
      return refused('proof', 'the refresh token is bound to another key than was proven');
    const ref = refOfToken(found);
    const grant = found.grantId === undefined ? undefined : await provider.Grant.find(found.grantId);
    const isItsOwn = grant?.clientId === application.id && grant.accountId === found.accountId;
    return ref && isItsOwn ? { ...ref, userId: found.accountId } : noSubject;
  }

  /** The live session that it is of, whose tenant the application serves. */
  return async ({ token, type }: SubjectToken, by: By): Promise<LiveSession | NoSubject> => {
    const named = await (type === 'id_token' ? byIdToken(token, by) : byRefreshToken(token, by));
    if (isRefused(named)) return { ...named, tenantId: null };
    const session = await findServed(parts, by.application, named);
    if (session?.state.userId === named.userId) return session;
    const isServed = await parts.applications.serves(by.application, named.tenantId);
    const why = refused('session', 'the session is over, or the application does not serve that tenant');
    return { ...why, tenantId: isServed ? named.tenantId : null };
  };
}
