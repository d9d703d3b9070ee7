// A token of the identity provider that a bot brings: everything that it says of itself is compared, each wrong one
// beside the right one.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type IdentityProvider,
  newProviderKey,
  type ProviderKey,
  signedBy,
  startIdentityProvider,
} from '@reeve/testing';
import type { JWTPayload } from 'jose';
import { type Connected, connected } from './oidc.test-support.ts';

const audience = 'api://bot.example';
const [acme, globex] = [randomUUID(), randomUUID()];
let provider: IdentityProvider;
let key: ProviderKey;

beforeAll(async () => {
  provider = await startIdentityProvider();
  key = await provider.changesItsKeys();
});
afterAll(() => provider.stop());
beforeEach(() => provider.lies({}));

const now = () => Math.floor(Date.now() / 1_000);
const usual = (): JWTPayload => ({ iss: provider.issuer, aud: audience, sub: 'ada', iat: now(), exp: now() + 300 });

/** The subject, or where it was refused. */
async function readBy({ kind, at }: Connected, token: string, parties: string[] = ['the-page']): Promise<unknown> {
  return kind.readBrought?.(at, { token, audience, parties }).then(
    ({ subject }) => subject,
    (error: { step?: string; seen?: { problem?: string } }) => [error.step, error.seen?.problem],
  );
}

describe('of an identity provider', () => {
  let to: Connected;
  beforeEach(async () => {
    to = await connected(provider);
  });
  const read = async (change: object, header: object = {}, by = key) =>
    readBy(to, await signedBy(by, { ...usual(), ...change }, header));

  test('is taken as an access token, as an ID token, and asked for by whom it may be', async () => {
    expect(await read({})).toBe('ada');
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt']) expect(await read({}, { typ })).toBe('ada');
    for (const azp of ['the-page', 'reeve']) expect(await read({ azp })).toBe('ada');
    expect(await read({ aud: [audience] })).toBe('ada');
    expect(await read({ client_id: 'the-page' })).toBe('ada');
    expect(await read({ nbf: now() + 20, iat: now() + 20 })).toBe('ada');
  });

  test.each<[string, () => object, unknown]>([
    ['another issuer', () => ({ iss: 'https://elsewhere.example' }), ['id_token_claims', 'iss']],
    ['no issuer', () => ({ iss: undefined }), ['id_token_claims', 'iss']],
    ['another audience', () => ({ aud: 'api://other.example' }), ['id_token_claims', 'aud']],
    ['a longer audience', () => ({ aud: `${audience}/` }), ['id_token_claims', 'aud']],
    ['an audience beside it', () => ({ aud: [audience, 'api://other.example'] }), ['id_token_claims', 'aud']],
    ['no audience', () => ({ aud: undefined }), ['id_token_claims', 'aud']],
    ['another party', () => ({ azp: 'somebody' }), ['id_token_claims', 'azp']],
    ['another client', () => ({ client_id: 'somebody' }), ['id_token_claims', 'client_id']],
    ['another application', () => ({ appid: 'somebody' }), ['id_token_claims', 'appid']],
    ['another client of Okta', () => ({ cid: 'somebody' }), ['id_token_claims', 'cid']],
    ['an event, as of a sign-out', () => ({ events: {} }), ['id_token_claims', 'events']],
    ['an application for itself', () => ({ idtyp: 'app' }), ['id_token_claims', 'idtyp']],
    ['a key that nobody proves', () => ({ cnf: { jkt: 'x' } }), ['id_token_claims', 'cnf']],
    ['nobody', () => ({ sub: undefined }), ['subject_missing', 'sub']],
    ['a time that is over', () => ({ exp: now() - 60 }), ['id_token_time', 'exp']],
    ['no end', () => ({ exp: undefined }), ['id_token_time', 'exp']],
    ['a time to come', () => ({ nbf: now() + 120 }), ['id_token_time', 'nbf']],
    ['a birth to come', () => ({ iat: now() + 120 }), ['id_token_time', 'iat']],
    ['no birth', () => ({ iat: undefined }), ['id_token_time', 'iat']],
    ['a birth long ago', () => ({ iat: now() - 90_000 }), ['id_token_time', 'iat']],
  ])('is refused with %s', async (_, change, refusal) => {
    expect(await read(change())).toEqual(refusal);
    expect(await read({})).toBe('ada');
  });

  test('is refused where it was made for another purpose, by another key, by none, and in another form', async () => {
    for (const typ of ['logout+jwt', 'secevent+jwt', 'dpop+jwt', 'JWT2'])
      expect(await read({}, { typ })).toEqual(['id_token_type', 'typ']);
    const [other] = [await newProviderKey()];
    expect(await read({}, { kid: key.kid }, other)).toEqual(['id_token_signature', expect.any(String)]);
    const token = await signedBy(key, usual());
    const [, payload = ''] = token.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect(await readBy(to, none)).toEqual(['id_token_signature', expect.any(String)]);
    expect(await readBy(to, `${token}=`)).toEqual(['id_token_signature', 'form']);
    expect(await readBy(to, 'x'.repeat(20_000))).toEqual(['id_token_signature', 'form']);
    expect(await readBy(to, token)).toBe('ada');
  });

  test('follows the keys of the provider, and says so where there are none to be had', async () => {
    const fresh = await provider.changesItsKeys();
    expect(await read({}, {}, fresh)).toBe('ada');
    provider.lies({ answers: { '/keys': (_, response) => void response.writeHead(500).end() } });
    const other = await connected(provider);
    expect(await readBy(other, await signedBy(fresh, usual()))).toEqual(['provider_response', undefined]);
    key = fresh;
  });
});

describe('of Microsoft Entra, of several directories', () => {
  const issuerOf = (tid: string) => `${provider.issuer}/${tid}/v2.0`;
  const connect = () => {
    provider.lies({ discovery: { issuer: `${provider.issuer}/{tenantid}/v2.0` } });
    return connected(provider, {
      given: { issuer: `${provider.issuer}/organizations/v2.0`, entraTenants: [acme, globex] },
    });
  };
  const entra = (tid = acme): JWTPayload => ({ ...usual(), iss: issuerOf(tid), tid, ver: '2.0', azp: 'the-page' });

  test('is of the person of that directory, and of nobody else with the same subject', async () => {
    const to = await connect();
    expect(await readBy(to, await signedBy(key, entra()))).toBe(`${acme}/ada`);
    expect(await readBy(to, await signedBy(key, entra(globex)))).toBe(`${globex}/ada`);
  });

  test('is refused of another directory, of two at once, of the first version, and by another application', async () => {
    const to = await connect();
    const ask = async (change: object) => readBy(to, await signedBy(key, { ...entra(), ...change }));
    const stranger = randomUUID();
    expect(await ask({ tid: stranger, iss: issuerOf(stranger) })).toEqual(['id_token_claims', 'tid']);
    expect(await ask({ tid: globex })).toEqual(['id_token_claims', 'iss']);
    expect(await ask({ tid: undefined })).toEqual(['id_token_claims', 'tid']);
    expect(await ask({ iss: `${provider.issuer}/{tenantid}/v2.0` })).toEqual(['id_token_claims', 'iss']);
    expect(await ask({ ver: '1.0' })).toEqual(['id_token_claims', 'ver']);
    expect(await ask({ ver: undefined })).toEqual(['id_token_claims', 'ver']);
    expect(await ask({ azp: 'somebody' })).toEqual(['id_token_claims', 'azp']);
    expect(await ask({})).toBe(`${acme}/ada`);
  });

  test('is refused where the key is of another directory', async () => {
    const to = await connect();
    const [ofAcme, ofGlobex] = [await newProviderKey(), await newProviderKey()];
    provider.lies({
      keys: () => ({
        keys: [
          { ...ofAcme.jwk, issuer: issuerOf(acme) },
          { ...ofGlobex.jwk, issuer: issuerOf(globex) },
        ],
      }),
    });
    expect(await readBy(to, await signedBy(ofAcme, entra()))).toBe(`${acme}/ada`);
    expect(await readBy(to, await signedBy(ofGlobex, entra()))).toEqual(['id_token_signature', expect.any(String)]);
  });
});
