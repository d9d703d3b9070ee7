// The UserInfo endpoint (OpenID Connect Core §5.3): asked for what an ID token lacks, about its subject and no other.
// What it says is not signed, as a rule: it adds who somebody is, and nothing of how or when they signed in.
import { isCanonicalJws } from '@reeve/contracts';
import { jwtVerify } from 'jose';
import * as client from 'openid-client';
import type { Fetch } from './discover.ts';
import type { createKeySets, KeyOwner } from './key-sets.ts';
import { StepError, seenIn, stepOf, withoutSent } from './step-error.ts';

/** Said by an ID token alone. */
const saidSigned = new Set(
  'iss sub aud azp exp iat nbf jti nonce at_hash c_hash s_hash auth_time acr amr sid tid'.split(' '),
);

type KeySets = ReturnType<typeof createKeySets>;
type Asked = { accessToken: string; claims: client.IDToken; lacking: readonly string[] };

/**
 * A server that signs its answer means it: the answer counts if its keys say so. The library would read it unverified,
 * or not at all.
 */
export const withSignedAnswers =
  (fetch: Fetch, { keySets, from }: { keySets: KeySets; from: KeyOwner & { clientId: string } }): Fetch =>
  async (url, init) => {
    const response = await fetch(url, init);
    if (response.status !== 200 || !/^application\/jwt\b/i.test(response.headers.get('content-type') ?? ''))
      return response;
    const token = await response.text();
    if (!isCanonicalJws(token)) throw new StepError('user_info');
    const { id_token_signing_alg_values_supported: algorithms, issuer } = from.metadata;
    const expected = { algorithms, issuer, audience: from.clientId };
    return Response.json((await keySets.by(from, keys => jwtVerify(token, keys, expected))).payload);
  };

/** Those wanted that the ID token lacks and UserInfo may have. */
export const lackingIn = (claims: client.IDToken, wanted: readonly string[]): string[] =>
  wanted.filter(name => claims[name] === undefined && !saidSigned.has(name));

/** The claims with those that are lacking. Throws StepError. */
export async function completed(
  configuration: client.Configuration,
  { accessToken, claims, lacking }: Asked,
): Promise<client.IDToken> {
  const more = await client.fetchUserInfo(configuration, accessToken, claims.sub).catch((error: unknown) => {
    const seen = withoutSent(seenIn(error), [accessToken]);
    throw new StepError('user_info', { cause: error, seen: { problem: stepOf(error, true), ...seen } });
  });
  // Whether an address is verified is said of the address beside it.
  const isOtherAddress = lacking.includes('email') && more.email !== undefined;
  const own = Object.entries(claims).filter(([name]) => !(isOtherAddress && name === 'email_verified'));
  const names = isOtherAddress ? [...lacking, 'email_verified'] : lacking.filter(name => name !== 'email_verified');
  const added = names.flatMap(name => (more[name] === undefined ? [] : [[name, more[name]] as const]));
  return Object.fromEntries([...own, ...added]) as client.IDToken;
}
