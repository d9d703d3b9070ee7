// Access tokens of ours that somebody presents to have them exchanged: read from what we have signed or stored, and
// asked whether they count now. Nothing is said of why one does not.
import { idSchema, isCanonicalJws } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { createLocalJWKSet, errors, type JWK, jwtVerify } from 'jose';
import type { Provider } from 'oidc-provider';
import { z } from 'zod';
import { refText } from '../sessions/live-sessions.ts';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { type AccountParts, isGood } from './accounts.ts';
import type { Act, PresentedToken } from './exchange.ts';

/** Of ours none comes near it. */
const longest = 8_000;

const actSchema: z.ZodType<Act> = z.object({
  sub: z.string(),
  client_id: z.string().optional(),
  iss: z.string().optional(),
  get act() {
    return actSchema.optional();
  },
});

const saidByToken = z.object({
  sub: z.string(),
  client_id: z.string(),
  aud: z.string(),
  scope: z.string().default(''),
  iat: z.number(),
  exp: z.number(),
  tid: idSchema('tenant'),
  sid: idSchema('session').optional(),
  auth_time: z.number().optional(),
  acr: z.string().optional(),
  amr: z.array(z.string()).optional(),
  surface: z.string().optional(),
  client_tokens_from: z.string().optional(),
  grant_id: z.string().optional(),
  act: actSchema.optional(),
  delegated_by: z.string().optional(),
  may_act: z.record(z.string(), z.unknown()).optional(),
  // Another way of binding is none that we make.
  cnf: z.strictObject({ jkt: z.string() }).optional(),
});

/** `grantId` is known of opaque ones alone. */
export type FoundToken = { said: PresentedToken; grantId: string | null };

type Parts = AccountParts & { issuer: string; keys: readonly SigningKey[]; clock: Clock };

export type FindPresented = ReturnType<typeof createFindPresented>;

export function createFindPresented(provider: Provider, parts: Parts) {
  const keySet = ownKeySet(parts.keys);

  /** One that this issuer has signed as an access token (RFC 9068), for a single audience. */
  async function verify(token: string): Promise<FoundToken | null> {
    try {
      const { payload } = await jwtVerify(token, keySet, {
        issuer: parts.issuer,
        typ: 'at+jwt',
        algorithms: ['ES256', 'RS256'],
        currentDate: parts.clock.now(),
        requiredClaims: ['exp', 'iat', 'sub', 'jti', 'aud', 'client_id'],
      });
      const said = saidByToken.safeParse(payload);
      return said.success ? { said: said.data, grantId: null } : null;
    } catch (error) {
      if (error instanceof errors.JOSEError) return null;
      throw error;
    }
  }

  async function lookUp(token: string): Promise<FoundToken | null> {
    const ofPerson = await provider.AccessToken.find(token);
    const found = ofPerson ?? (await provider.ClientCredentials.find(token));
    if (!found) return null;
    const { extra, clientId, aud, scope, iat, exp, jkt } = found;
    const sub = ofPerson?.accountId ?? clientId;
    const bound = jkt === undefined ? {} : { cnf: { jkt } };
    const said = saidByToken.safeParse({ ...extra, sub, client_id: clientId, aud, scope, iat, exp, ...bound });
    if (!said.success) return null;
    if (!ofPerson) return { said: said.data, grantId: null };
    // As introspection asks it.
    const grant = await parts.grants.findGrant(ofPerson.grantId);
    const isItsOwn = grant?.clientId === clientId && grant?.accountId === sub;
    return isItsOwn ? { said: said.data, grantId: ofPerson.grantId } : null;
  }

  /** Of a person's session where it says one, of a machine where it says none. */
  async function counts({ said, grantId }: FoundToken): Promise<boolean> {
    const { client_id: clientId, aud, scope, iat, tid, sid } = said;
    if (sid === undefined && said.sub !== clientId) return false;
    const session = sid === undefined ? {} : { grantId: grantId ?? refText({ tenantId: tid, sessionId: sid }) };
    return isGood(parts, { clientId }, { kind: 'AccessToken', clientId, aud, scope, iat, extra: said, ...session });
  }

  /** Null for all that is none, or that counts no more. */
  return async (token: string, form: 'any' | 'jwt'): Promise<FoundToken | null> => {
    if (token.length > longest) return null;
    const isJwt = isCanonicalJws(token);
    if (form === 'jwt' && !isJwt) return null;
    const found = isJwt ? await verify(token) : await lookUp(token);
    return found && (await counts(found)) ? found : null;
  };
}

/** By which we verify what we have signed. */
export const ownKeySet = (keys: readonly SigningKey[]) => createLocalJWKSet({ keys: keys.map(publicPartOf) });

/** By members that are known to be public. */
function publicPartOf({ kty, kid, alg, use, crv, x, y, n, e }: SigningKey): JWK {
  const own = kty === 'RSA' ? { n, e } : { crv, x, y };
  return { kty, kid, alg, use, ...own } as JWK;
}
