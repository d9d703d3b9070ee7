// What an application's server is told with: a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4). It names the
// session and the person, holds no nonce, so that nobody takes it for an ID token, and is good for two minutes.
import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { KnownApplication } from '../applications/known-application.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import type { LogoutNotice } from './logout-notice.ts';

const goodForSeconds = 120;

type Parts = { keys: Pick<SigningKeys, 'signing'>; issuer: string; now: Date };

export function logoutToken(
  { keys, issuer, now }: Parts,
  { sessionId, userId }: Pick<LogoutNotice, 'sessionId' | 'userId'>,
  { id, securityProfile }: Pick<KnownApplication, 'id' | 'securityProfile'>,
): Promise<string> {
  // By the algorithm that the application has its ID tokens signed by.
  const { kid, alg, ...key } = keys.signing(securityProfile === null ? 'idToken' : 'accessToken');
  const issuedAt = Math.floor(now.getTime() / 1_000);
  return new SignJWT({ sid: sessionId, events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
    .setProtectedHeader({ alg, kid, typ: 'logout+jwt' })
    .setIssuer(issuer)
    .setSubject(userId)
    .setAudience(id)
    .setJti(randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + goodForSeconds)
    .sign(key);
}
