// ID tokens that somebody has made who is not the issuer, or that the issuer has made for something else, beyond what
// the conformance suite tries. Beside each refusal the same connection is tried with the truth.
import { generateKeyPairSync, KeyObject, sign as signBytes } from 'node:crypto';
import { afterAll, describe, expect, test } from '@jest/globals';
import { newProviderKey, type ProviderKey, signedBy } from '@reeve/testing';
import { exportSPKI, type JWTPayload } from 'jose';
import {
  accepted,
  hmacBy,
  type Row,
  signedRawly,
  startLyingProvider,
  unsigned,
} from './lying-provider.test-support.ts';

const { provider, key, other, elliptic, claiming, lacking, endsWithControl } = await startLyingProvider();
afterAll(() => provider.stop());

const now = () => Math.floor(Date.now() / 1_000);
const tooShort = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const derEs256 = (input: string) => signBytes('sha256', Buffer.from(input), signer(elliptic));
const signer = ({ privateKey }: ProviderKey) => KeyObject.from(privateKey);
const header = (more: object) => ({ idToken: (claims: JWTPayload) => signedBy(key, claims, more) });

describe('a forged ID token', () => {
  const forged: Row[] = [
    ['by no algorithm, written otherwise', () => ({ idToken: unsigned('nOnE') }), 'id_token_signature'],
    [
      'by the public key taken for a secret',
      async () => {
        const spki = await exportSPKI(key.publicKey);
        return { idToken: signedRawly({ alg: 'HS256', kid: key.kid }, hmacBy(spki)) };
      },
      'id_token_signature',
    ],
    [
      'by an algorithm that was not announced',
      async () => {
        const pss = await newProviderKey('PS256');
        return { keys: () => ({ keys: [pss.jwk] }), idToken: claims => signedBy(pss, claims) };
      },
      'id_token_signature',
    ],
    [
      'by ES256 with a signature of zeros',
      () => ({ idToken: signedRawly({ alg: 'ES256', kid: elliptic.kid }, () => Buffer.alloc(64)) }),
      'id_token_signature',
    ],
    [
      'by a key of RSA that is too short',
      () => {
        const jwk = { ...tooShort.publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' };
        const sign = (input: string) => signBytes('sha256', Buffer.from(input), tooShort.privateKey);
        return { keys: () => ({ keys: [jwk] }), idToken: signedRawly({ alg: 'RS256', kid: 'short' }, sign) };
      },
      'id_token_signature',
    ],
    ['by a key that it brings along', () => ({ idToken: bringing('jwk', other.jwk) }), 'id_token_signature'],
    ['by a key at an address that it names', () => ({ idToken: bringing('jku', lure()) }), 'id_token_signature'],
    [
      'by a certificate at an address that it names',
      () => ({ idToken: bringing('x5u', lure()) }),
      'id_token_signature',
    ],
    [
      'by a key whose name is a path',
      () => ({ idToken: claims => signedBy(other, claims, { kid: '../../etc/passwd' }) }),
      'id_token_signature',
    ],
    [
      'by a key with a long name',
      () => ({ idToken: claims => signedBy(other, claims, { kid: 'k'.repeat(10_000) }) }),
      'id_token_signature',
    ],
    ['with what must be understood and is not', () => ({ idToken: critical }), 'id_token_signature'],
    ['in five parts, as if it were encrypted', () => ({ idToken: () => 'a.b.c.d.e' }), 'id_token_signature'],
    ['as JSON', () => ({ tokens: { id_token: { payload: 'x' } } }), 'id_token_missing'],
    ['of another kind: an access token', () => header({ typ: 'at+jwt' }), 'id_token_type'],
    ['of another kind: a logout token', () => header({ typ: 'logout+jwt' }), 'id_token_type'],
    ['of another kind: a security event', () => header({ typ: 'secevent+jwt' }), 'id_token_type'],
    ['with bytes after it', () => ({ idToken: async c => `${await signedBy(key, c)}AA` }), 'id_token_signature'],
    ['of an issuer with a slash more', () => claiming({ iss: `${provider.issuer}/` }), 'id_token_claims'],
    ['of an issuer in capitals', () => claiming({ iss: provider.issuer.toUpperCase() }), 'id_token_claims'],
    ['for a client whose name begins like ours', () => claiming({ aud: 'reeve2' }), 'id_token_claims'],
    ['that ends in words', () => claiming({ exp: 'tomorrow' as never }), 'id_token_claims'],
    ['that ended before there was time', () => claiming({ exp: -1 }), 'id_token_claims'],
    ['that ended half a minute ago', () => claiming({ exp: now() - 31 }), 'id_token_claims'],
    ['that ended by a clock that is a little fast', () => claiming({ exp: now() - 20 }), accepted],
    ['that counts only later', () => claiming({ nbf: now() + 3_600 }), 'id_token_claims'],
    ['to no request', () => lacking('nonce'), 'id_token_claims'],
    ['for us among others', () => claiming({ aud: ['reeve', 'them'] }), 'id_token_claims'],
  ];

  const lure = () => `${provider.issuer}/lure`;
  const bringing = (name: string, value: unknown) => (claims: JWTPayload) => signedBy(other, claims, { [name]: value });
  const critical = signedRawly({ alg: 'RS256', crit: ['exp'], exp: 1 }, input =>
    signBytes('sha256', Buffer.from(input), signer(key)),
  );

  test.each(forged)('%s', async (_, lie, end) => {
    expect(await endsWithControl(await lie())).toEqual([end, accepted]);
  });

  test('is not fetched keys for', () => {
    expect(provider.requests.filter(({ path }) => path === '/lure')).toEqual([]);
  });

  test('by ES256 as DER writes it is none; as JWS writes it, it is one', async () => {
    expect(await endsWithControl({ idToken: claims => signedBy(elliptic, claims) })).toEqual([accepted, accepted]);
    const der = { idToken: signedRawly({ alg: 'ES256', kid: elliptic.kid }, derEs256) };
    expect(await endsWithControl(der)).toEqual(['id_token_signature', accepted]);
  });

  test('of a megabyte is refused for its size', async () => {
    const [end, control] = await endsWithControl(claiming({ padding: 'x'.repeat(1_000_000) }));
    expect([end, control]).toEqual(['provider_url_refused', accepted]);
  });
});
