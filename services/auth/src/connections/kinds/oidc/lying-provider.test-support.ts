// A provider of RSA keys that lies as a test says, how a sign-in by it ends, and ways to forge a token.
import { createHmac } from 'node:crypto';
import { type Lies, newProviderKey, signedBy, startIdentityProvider } from '@reeve/testing';
import type { JWTPayload } from 'jose';
import { connected, endOf } from './oidc.test-support.ts';

export const accepted = 'accepted';
/** What is tried, how the provider lies in it, and where it ends. */
export type Row = readonly [what: string, lie: () => Lies | Promise<Lies>, ends: string];

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

export const unsigned = (alg: string) => (claims: JWTPayload) => `${base64({ alg })}.${base64(claims)}.`;

export const signedRawly = (header: object, signature: (input: string) => Buffer) => (claims: JWTPayload) => {
  const input = `${base64(header)}.${base64(claims)}`;
  return `${input}.${signature(input).toString('base64url')}`;
};

export const hmacBy = (secret: string) => (input: string) => createHmac('sha256', secret).update(input).digest();

export async function startLyingProvider() {
  const provider = await startIdentityProvider();
  const [key, other, elliptic] = await Promise.all([
    newProviderKey('RS256', { extractable: true }),
    newProviderKey('RS256'),
    newProviderKey('ES256', { extractable: true }),
  ]);
  await provider.changesItsKeys(key);
  provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });

  /** What it is while it tells the truth. */
  const truth = (): Lies => ({
    discovery: {
      id_token_signing_alg_values_supported: ['RS256', 'ES256'],
      userinfo_endpoint: `${provider.issuer}/userinfo`,
    },
    keys: () => ({ keys: [key.jwk, elliptic.jwk] }),
    userInfo: () => ({ sub: 'ada', email: 'ada@userinfo.example', name: 'Ada of UserInfo' }),
  });
  const claiming = (change: JWTPayload): Lies => ({ idToken: claims => signedBy(key, { ...claims, ...change }) });

  return {
    provider,
    /** The key that it signs with, one that is nobody's, and one of its own for ES256. */
    key,
    other,
    elliptic,
    truth,
    claiming,
    lacking: (name: string) => claiming({ [name]: undefined } as JWTPayload),
    /** An ID token that lacks what UserInfo has. */
    sparse: (): Lies => claiming({ email: undefined, name: undefined } as JWTPayload),

    /** A sign-in by a connection that is made while it lies so. */
    async ends({ discovery, ...lies }: Lies): Promise<string> {
      provider.lies({ ...truth(), ...lies, discovery: { ...truth().discovery, ...discovery } });
      return endOf(connected(provider).then(one => one.signIn()));
    },

    /** One by a connection that was made before, and one by the same when it lies no more. */
    async endsWithControl(lie: Lies): Promise<[lied: string, control: string]> {
      provider.lies(truth());
      const one = await connected(provider);
      provider.lies({ ...truth(), ...lie });
      const lied = await endOf(one.signIn());
      provider.lies(truth());
      return [lied, await endOf(one.signIn())];
    },
  };
}
