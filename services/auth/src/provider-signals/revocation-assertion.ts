// The JWT by which an identity provider proves that it is the one who asks for the revocation of somebody's tokens
// (draft-parecki-oauth-global-token-revocation-06, “Authentication Using Private Key JWT”), in the type that Okta gives
// it. Pure.
import { textSchema } from '@reeve/contracts';
import type { JWTPayload } from 'jose';
import { z } from 'zod';

export const globalTokenRevocationPath = '/v1/global-token-revocation';

/** Nothing else that a provider signs has it: an ID token is none, nor is a security event. */
export const assertionType = 'global-token-revocation+jwt';

const skewSeconds = 60;
/** Five minutes are recommended. */
const longestSeconds = 3_600;

const seconds = z.number().int().nonnegative();
const claimsSchema = z.looseObject({
  iss: textSchema(500),
  sub: textSchema(500),
  aud: z.union([z.string(), z.tuple([z.string()]).transform(([one]) => one)]),
  jti: textSchema(200),
  iat: seconds,
  exp: seconds,
  nbf: seconds.exactOptional(),
});

type Expected = { issuer: string; audience: string; ourName: string | null; now: Date };

/** What of it is used up, and until when it has to be remembered; null for one that is not to be believed. */
export function checkedAssertion(claims: JWTPayload, expected: Expected): { jti: string; until: Date } | null {
  const { success, data } = claimsSchema.safeParse(claims);
  if (!success) return null;
  const { iss, sub, aud, jti, iat, exp, nbf = 0 } = data;
  if (iss !== expected.issuer || aud !== expected.audience) return null;
  // Its issuer may serve another tenant as another client of its own.
  if (expected.ourName !== null && sub !== expected.ourName) return null;
  const now = expected.now.getTime() / 1_000;
  const isTimely = exp > now - skewSeconds && iat <= now + skewSeconds && nbf <= now + skewSeconds;
  if (!isTimely || exp <= iat || exp - iat > longestSeconds) return null;
  return { jti, until: new Date((exp + 2 * skewSeconds) * 1_000) };
}
