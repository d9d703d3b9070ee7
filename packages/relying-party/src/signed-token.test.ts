// What a server signs besides ID tokens: by its keys, by an algorithm that it signs by, and of one type.
import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { newProviderKey, signedBy } from '@reeve/testing/identity-provider';
import { serverMetadata } from './discover.ts';
import { createKeySets } from './key-sets.ts';
import { createReadSigned } from './signed-token.ts';

const type = 'secevent+jwt';
const claims = { iss: 'https://idp.test', jti: 'one' };
const part = (text: object) => Buffer.from(JSON.stringify(text)).toString('base64url');
const rsa = await newProviderKey('RS256');
const ec = await newProviderKey('ES256');
const short = generateKeyPairSync('rsa', { modulusLength: 1_024 });
const keys = [rsa.jwk, ec.jwk, { ...short.publicKey.export({ format: 'jwk' }), kid: 'short', alg: 'RS256' }];
const metadata = (algorithms: string[]) =>
  serverMetadata.parse({
    issuer: 'https://idp.test',
    authorization_endpoint: 'https://idp.test/authorize',
    token_endpoint: 'https://idp.test/token',
    jwks_uri: 'https://idp.test/keys',
    id_token_signing_alg_values_supported: algorithms,
  });
const readSigned = createReadSigned(createKeySets(async () => Response.json({ keys })));
const read = (token: string, algorithms = ['RS256', 'ES256']) => readSigned(metadata(algorithms), { token, type });
const typed = { typ: type };

test('is read where it is signed by one of its keys, however the type is written', async () => {
  for (const key of [rsa, ec]) expect(await read(await signedBy(key, claims, typed))).toEqual(claims);
  expect(await read(await signedBy(rsa, claims, { typ: 'application/SecEvent+JWT' }))).toEqual(claims);
});

test('is refused by a key of 1024 bits, by an algorithm that the server does not sign by, and without a signature', async () => {
  const text = `${part({ alg: 'RS256', kid: 'short', typ: type })}.${part(claims)}`;
  const byShort = `${text}.${sign('sha256', Buffer.from(text), short.privateKey).toString('base64url')}`;
  const byEc = await signedBy(ec, claims, typed);
  expect(await read(byEc)).toEqual(claims);
  const refused = { step: 'id_token_signature' };
  await expect(read(byShort)).rejects.toMatchObject(refused);
  await expect(read(byEc, ['RS256'])).rejects.toMatchObject(refused);
  await expect(read(`${part({ alg: 'none', typ: type })}.${part(claims)}.`)).rejects.toMatchObject(refused);
  await expect(read(`${byEc}=`)).rejects.toMatchObject(refused);
  await expect(read(await signedBy(await newProviderKey('ES256'), claims, typed))).rejects.toMatchObject(refused);
});

test('is refused as another type, as none, and where it is no claims', async () => {
  for (const typ of ['JWT', 'at+jwt', 'logout+jwt', `${type}x`, undefined])
    await expect(read(await signedBy(rsa, claims, { typ }))).rejects.toMatchObject({ step: 'id_token_type' });
});
