// A JWT of a SAML identity provider, by the certificates that it signs assertions with.
import { createPrivateKey } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { newSamlKey } from '@reeve/testing/saml';
import { SignJWT } from 'jose';
import { readSignedBy } from './signed-token.ts';

const [rsa, ec, other] = [await newSamlKey(), await newSamlKey({ type: 'ec' }), await newSamlKey()];
const type = 'global-token-revocation+jwt';
const claims = { iss: 'https://idp.example', jti: 'one' };
const signed = (key: { privateKey: string }, alg: string, typ: string | undefined = type) =>
  new SignJWT(claims)
    .setProtectedHeader({ alg, ...(typ === undefined ? {} : { typ }) })
    .sign(createPrivateKey(key.privateKey));
const certificates = [rsa.certificate, ec.certificate];

test.each([
  ['RS256', rsa],
  ['PS256', rsa],
  ['ES256', ec],
] as const)('is read where one of them has signed it by %s', async (alg, key) => {
  expect(await readSignedBy(certificates, { token: await signed(key, alg), type })).toEqual(claims);
});

test('is refused of another key, by another algorithm, of another type, and without a signature', async () => {
  const part = (text: object) => Buffer.from(JSON.stringify(text)).toString('base64url');
  const byPublic = new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', typ: type })
    .sign(new TextEncoder().encode(rsa.certificate));
  for (const [token, step] of [
    [await signed(other, 'RS256'), 'id_token_signature'],
    [await signed(rsa, 'RS512'), 'id_token_signature'],
    [await byPublic, 'id_token_signature'],
    [`${part({ alg: 'none', typ: type })}.${part(claims)}.`, 'id_token_signature'],
    [`${await signed(rsa, 'RS256')}==`, 'id_token_signature'],
    [await signed(rsa, 'RS256', 'JWT'), 'id_token_type'],
  ] as const)
    await expect(readSignedBy(certificates, { token, type })).rejects.toMatchObject({ step });
});
