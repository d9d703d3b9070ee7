// Access tokens as attackers make them, by the names of the list in the design notes (JWT attacks). Each test of a
// group has the same good token as its positive control.
import { createHmac, createSign } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { CompactEncrypt, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { audience, newKey, startIssuer, type TestIssuer } from './issuer.test-support.ts';
import { createVerifier, type Verifier } from './verifier.ts';

let issuer: TestIssuer;
let other: TestIssuer;
let verifier: Verifier;
let verify: Verifier['verify'];

beforeAll(async () => {
  issuer = await startIssuer();
  other = await startIssuer();
  verifier = createVerifier({ issuer: issuer.url, audience, revocations: 'not_followed' });
  verify = verifier.verify;
});
afterAll(() => Promise.all([issuer.stop(), other.stop()]));

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1_000);

/** With this header and body, signed by this function of what is signed. */
const handmade = (header: unknown, payload: unknown, sign: (text: string) => Buffer) => {
  const text = `${base64(header)}.${base64(payload)}`;
  return `${text}.${sign(text).toString('base64url')}`;
};
/** Signed by the issuer's own key, whatever is in it. */
const byIssuer = (text: string, dsaEncoding: 'ieee-p1363' | 'der' = 'ieee-p1363') =>
  createSign('sha256')
    .update(text)
    .sign({ key: issuer.es.privateKey as never, dsaEncoding });
const good = { alg: 'ES256', typ: 'at+jwt', kid: 'es' };

async function refuses(token: string, code = 'token_invalid') {
  await expect(verify(token)).rejects.toMatchObject({ code });
}

beforeEach(async () => {
  // The positive control: what the attacks are made from is let in.
  await expect(verify(await issuer.token())).resolves.toBeDefined();
});

describe('the algorithm', () => {
  test.each(['none', 'None', 'nOnE'])('%s with an empty signature is refused', async alg => {
    await refuses(`${base64({ ...good, alg })}.${base64(issuer.claims())}.`);
    await refuses(`${base64({ ...good, alg })}.${base64(issuer.claims())}.AA`);
  });

  test('ES256 with an empty signature is refused', async () => {
    const [header, payload] = (await issuer.token()).split('.');
    await refuses(`${header}.${payload}.`);
  });

  test('HS256 with the public key as its secret is refused, in PEM, DER and as a JWK', async () => {
    const pem = await exportSPKI(issuer.rs.publicKey);
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
    for (const secret of [pem, der, JSON.stringify(issuer.rs.jwk)])
      for (const kid of ['rs', 'es'])
        await refuses(
          handmade({ alg: 'HS256', typ: 'at+jwt', kid }, issuer.claims(), text =>
            createHmac('sha256', secret).update(text).digest(),
          ),
        );
  });

  test('outside the list is refused, also where the key would do', async () => {
    const { privateKey } = issuer.rs;
    const asRs = (alg: string) => issuer.token({}, { key: privateKey, header: { alg, kid: 'rs' } });
    await expect(verify(await asRs('RS256'))).resolves.toBeDefined();
    const strict = createVerifier({
      issuer: issuer.url,
      audience,
      revocations: 'not_followed',
      algorithms: ['ES256'],
    });
    await expect(strict.verify(await asRs('RS256'))).rejects.toMatchObject({ code: 'token_invalid' });
    for (const alg of ['PS256', 'RS512', 'ES384', 'EdDSA', 'RS1'])
      await refuses(handmade({ ...good, alg, kid: 'rs' }, issuer.claims(), () => Buffer.alloc(256, 1)));
  });

  test('of another key than the one that is named is refused', async () => {
    await refuses(await issuer.token({}, { key: issuer.rs.privateKey, header: { alg: 'RS256', kid: 'es' } }));
    await refuses(await issuer.token({}, { header: { kid: 'rs' } }));
  });

  test('ES256 with r = s = 0 is refused (CVE-2022-21449)', async () => {
    await refuses(handmade(good, issuer.claims(), () => Buffer.alloc(64)));
  });

  test('ES256 with a signature in DER is refused', async () => {
    await expect(verify(handmade(good, issuer.claims(), text => byIssuer(text)))).resolves.toBeDefined();
    await refuses(handmade(good, issuer.claims(), text => byIssuer(text, 'der')));
  });
});

describe('the key', () => {
  test.each([
    ['a path', '../../../../dev/null'],
    ['SQL', "es' OR '1'='1"],
    ['a URL', 'http://127.0.0.1:1/jwks'],
    ['10 kB', 'k'.repeat(10_000)],
    ['nothing', ''],
  ])('that is named by %s is refused', async (_, kid) => {
    await refuses(await issuer.token({}, { header: { kid } }));
  });

  test('that is not named, or twice, is refused', async () => {
    const { alg, typ } = good;
    await refuses(handmade({ alg, typ }, issuer.claims(), text => byIssuer(text)));
    await refuses(handmade({ ...good, kid: 7 }, issuer.claims(), text => byIssuer(text)));
    const twice = '{"alg":"ES256","typ":"at+jwt","kid":"x","kid":"es"}';
    await refuses(handmade(twice, issuer.claims(), text => byIssuer(text)));
  });

  test('that is unknown makes no storm of requests', async () => {
    const before = issuer.asked.length;
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, n) => issuer.token({}, { header: { kid: `unknown-${n}` } })),
    );
    for (const token of tokens) await refuses(token);
    await Promise.all(tokens.map(token => refuses(token)));
    expect(issuer.asked.length - before).toBeLessThanOrEqual(1);
  });

  test.each(['jku', 'x5u', 'jwk', 'x5c', 'x5t', 'x5t#S256'])(
    'that comes by %s is refused, and asked for nowhere',
    async name => {
      const own = await newKey('ES256', 'es');
      const value = { jku: `${other.url}/jwks`, x5u: `${other.url}/jwks`, jwk: own.jwk, x5c: ['AA'] }[name] ?? 'AA';
      const before = other.asked.length;
      await refuses(await issuer.token({}, { key: own.privateKey, header: { [name]: value } }));
      // Also of the right key: nobody has a reason to send it.
      await refuses(await issuer.token({}, { header: { [name]: value } }));
      expect(other.asked.length).toBe(before);
    },
  );

  test('of another issuer is refused, with its own name and with ours', async () => {
    await refuses(await other.token());
    await refuses(await other.token({ iss: issuer.url }));
  });

  test('that was rotated out is refused once its time is over', async () => {
    const rotating = await startIssuer();
    const its = createVerifier({ issuer: rotating.url, audience, revocations: 'not_followed' });
    const token = await rotating.token();
    await expect(its.verify(token)).resolves.toBeDefined();
    const next = await newKey('ES256', 'next');
    rotating.state.keys = [next.jwk];
    const later = Date.now() + 10_000;
    const clock = jest.spyOn(Date, 'now').mockImplementation(() => later);
    await expect(
      its.verify(await rotating.token({}, { key: next.privateKey, header: { kid: 'next' } })),
    ).resolves.toBeDefined();
    await expect(its.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    clock.mockRestore();
    await rotating.stop();
  });

  test('is taken from no issuer whose metadata is of another', async () => {
    const lying = await startIssuer();
    lying.state.metadataIssuer = issuer.url;
    const its = createVerifier({ issuer: lying.url, audience, revocations: 'not_followed' });
    await expect(its.verify(await lying.token())).rejects.toMatchObject({ code: 'issuer_unavailable' });
    await lying.stop();
  });

  test('and the issuer are fetched by https, but on this machine', () => {
    const at = (url: string) => () => createVerifier({ issuer: url, audience, revocations: 'not_followed' });
    for (const url of ['http://id.example', 'http://127.0.0.1.example', 'ftp://localhost', 'id.example'])
      expect(at(url)).toThrow(TypeError);
    expect(at('https://id.example')).not.toThrow();
  });
});

describe('the header', () => {
  test.each([
    ['crit that is unknown', { crit: ['urn:x'], 'urn:x': 1 }],
    ['crit that is empty', { crit: [] }],
    ['crit that names b64', { crit: ['b64'], b64: true }],
    ['b64 false', { crit: ['b64'], b64: false }],
    ['b64 false without crit', { b64: false }],
    ['zip', { zip: 'DEF' }],
    ['cty of a nested JWT', { cty: 'JWT' }],
  ])('with %s is refused', async (_, more) => {
    await refuses(handmade({ ...good, ...more }, issuer.claims(), text => byIssuer(text)));
  });

  test.each(['JWT', 'logout+jwt', 'secevent+jwt', 'dpop+jwt', 'application/jwt', undefined])(
    'of the type %s is of no access token',
    async typ => {
      await refuses(handmade({ ...good, typ }, issuer.claims(), text => byIssuer(text)));
    },
  );

  test('of an ID token is refused', async () => {
    const idToken = { ...issuer.claims(), nonce: 'n', aud: audience };
    await refuses(
      await new SignJWT(idToken).setProtectedHeader({ alg: 'RS256', kid: 'rs' }).sign(issuer.rs.privateKey),
    );
  });
});

describe('the text', () => {
  test('of a JWE is refused', async () => {
    const jwe = await new CompactEncrypt(Buffer.from(await issuer.token()))
      .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'rs', typ: 'at+jwt' })
      .encrypt((await generateKeyPair('RSA-OAEP-256')).publicKey);
    await refuses(jwe);
  });

  test('with a member twice is refused', async () => {
    const body = JSON.stringify(issuer.claims()).replace('{', `{"sub":"${issuer.claims().sub}",`);
    await refuses(handmade(good, body, text => byIssuer(text)));
  });

  test('with bytes behind it, padding, or a second way to write it is refused', async () => {
    const token = await issuer.token();
    const [header, payload, signature] = token.split('.');
    for (const second of [
      `${token}=`,
      `${token}.`,
      `${token}.${signature}`,
      `${token}\n`,
      ` ${token}`,
      `${header}=.${payload}.${signature}`,
      `${token.slice(0, -1)}${String.fromCharCode((token.at(-1) ?? 'A').charCodeAt(0) + 1)}`,
    ])
      await refuses(second);
  });

  test('of 1 MB is refused', async () => {
    await refuses(await issuer.token({ filler: 'x'.repeat(1_000_000) }));
  });

  test('in JSON serialization is refused', async () => {
    const [header, payload, signature] = (await issuer.token()).split('.');
    await refuses(JSON.stringify({ protected: header, payload, signature }));
    await refuses(JSON.stringify({ payload, signatures: [{ protected: header, signature }] }));
  });
});

describe('the time', () => {
  test.each([
    ['exp missing', { exp: undefined }],
    ['exp as text', { exp: String(now() + 300) }],
    ['exp negative', { exp: -1 }],
    ['nbf in the future', { nbf: now() + 60 }],
    ['nbf as text', { nbf: '0' }],
    ['iat missing', { iat: undefined }],
    ['iat in the future', { iat: now() + 60 }],
    ['iat of long ago, and exp far ahead', { iat: now() - 3_600, exp: now() + 3_600 }],
  ])('%s is refused', async (_, change) => {
    const error = await issuer
      .token(change)
      .then(verify)
      .catch((caught: unknown) => caught);
    expect(['token_invalid', 'token_expired']).toContain((error as { code?: string }).code);
  });

  test('exp in the past is refused, beyond what clocks may differ', async () => {
    await refuses(await issuer.token({ exp: now() - 7 }), 'token_expired');
    await expect(verify(await issuer.token({ exp: now() - 2 }))).resolves.toBeDefined();
    await expect(verify(await issuer.token({ nbf: now() + 2, iat: now() + 2 }))).resolves.toBeDefined();
  });
});

describe('who it is for, of and about', () => {
  test.each([
    ['aud that has us among others', { aud: [audience, 'https://other.example'] }],
    ['aud as a list, with azp', { aud: [audience], azp: audience }],
    ['aud that begins as we do', { aud: `${audience}.evil.example` }],
    ['aud that we begin as', { aud: audience.slice(0, -2) }],
    ['aud with a slash more', { aud: `${audience}/` }],
    ['no aud', { aud: undefined }],
    ['no iss', { iss: undefined }],
    ['iss of an Entra template', { iss: 'https://login.microsoftonline.com/{tenantid}/v2.0' }],
    ['no sub', { sub: undefined }],
    ['sub that is no text', { sub: 7 }],
    ['no client_id', { client_id: undefined }],
    ['no jti', { jti: undefined }],
    ['no tid', { tid: undefined }],
    ['tid that is no text', { tid: ['ten_1'] }],
    ['a binding that is not known', { cnf: { 'x5t#S256': 'x' } }],
  ])('%s is refused', async (_, change) => {
    await refuses(await issuer.token(change));
  });

  test('iss with a slash more, or in other letters, is refused', async () => {
    for (const iss of [`${issuer.url}/`, issuer.url.toUpperCase(), issuer.url.replace('127.0.0.1', 'localhost')])
      await refuses(await issuer.token({ iss }));
  });

  test('a machine of no tenant is let in where that is allowed, and nobody whose tenant is no text', async () => {
    const its = createVerifier({
      issuer: issuer.url,
      audience,
      revocations: 'not_followed',
      allowWithoutTenant: true,
    });
    await expect(its.verify(await issuer.token({ tid: undefined }))).resolves.toMatchObject({ tenantId: null });
    await expect(its.verify(await issuer.token({ tid: 7 }))).rejects.toMatchObject({ code: 'token_invalid' });
  });

  test('a token of one tenant is not for another', async () => {
    const { tid } = issuer.claims();
    const token = await issuer.token({ tid });
    await expect(verify(token, { tenantId: tid })).resolves.toMatchObject({ tenantId: tid });
    await expect(verify(token, { tenantId: issuer.claims().tid })).rejects.toMatchObject({
      code: 'tenant_mismatch',
      status: 404,
    });
  });
});
