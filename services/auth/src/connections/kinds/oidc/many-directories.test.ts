// An issuer that stands for many directories, as Microsoft Entra's does: whose people may come is listed, and neither
// somebody of another directory nor a token that names two of them gets in.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type IdentityProvider,
  type Lies,
  newProviderKey,
  type ProviderKey,
  signedBy,
  startIdentityProvider,
} from '@reeve/testing';
import type { JWTPayload } from 'jose';
import { connected, endOf } from './oidc.test-support.ts';

const [acme, globex, stranger] = [randomUUID(), randomUUID(), randomUUID()];
let provider: IdentityProvider;
let key: ProviderKey;

beforeAll(async () => {
  provider = await startIdentityProvider();
  key = await provider.changesItsKeys();
  provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });
});
afterAll(() => provider.stop());
beforeEach(() => provider.lies(entra()));

const template = () => `${provider.issuer}/{tenantid}/v2.0`;
const issuerOf = (tid: string) => `${provider.issuer}/${tid}/v2.0`;
const common = () => ({ issuer: `${provider.issuer}/common/v2.0` });
const organizations = () => ({ issuer: `${provider.issuer}/organizations/v2.0` });
const discovery = () => ({ issuer: template(), userinfo_endpoint: `${provider.issuer}/userinfo` });
const saying = (change: JWTPayload): Lies => ({
  discovery: discovery(),
  idToken: claims => signedBy(key, { ...claims, iss: issuerOf(acme), tid: acme, ...change }),
});
const entra = (more: Lies = {}): Lies => ({ ...saying({}), ...more });
const toBoth = () => connected(provider, { given: { ...organizations(), entraTenants: [acme, globex] } });

describe('a connection to many directories', () => {
  test.each([
    ['common', common],
    ['organizations', organizations],
  ])('is made for %s with the list of those whose people may come, and for none without it', async (_, issuer) => {
    await expect(connected(provider, { given: issuer() })).rejects.toMatchObject({
      code: 'input_invalid',
      errors: [{ field: 'oidc.entraTenants', message: expect.stringContaining('list those whose people may come') }],
    });
    const { kind, at } = await connected(provider, { given: { ...issuer(), entraTenants: [acme] } });
    expect(kind.viewOf(at.settings, at.id)).toEqual({ ...issuer(), clientId: 'reeve', entraTenants: [acme] });
    await kind.test(at.settings);
  });

  test('is not made with a list where the issuer stands for one, nor for a template of somewhere else', async () => {
    await expect(
      connected(provider, { given: { issuer: issuerOf(acme), entraTenants: [acme] } }),
    ).rejects.toMatchObject({ code: 'connection_unreachable' });
    provider.lies({});
    await expect(connected(provider, { given: { entraTenants: [acme] } })).rejects.toMatchObject({
      errors: [{ field: 'oidc.entraTenants' }],
    });
    for (const issuer of [
      'https://login.evil.example/{tenantid}/v2.0',
      `${provider.issuer}/{tenantid}`,
      '{tenantid}',
    ]) {
      provider.lies({ discovery: { issuer } });
      const made = connected(provider, { given: { ...organizations(), entraTenants: [acme] } });
      expect(await endOf(made)).toBe('connection_unreachable');
    }
  });

  test.each([
    ['none', []],
    ['any', ['*']],
    ['a name', ['contoso.onmicrosoft.com']],
    ['everybody with a personal account', ['9188040d-6c67-4c5b-b112-36a304b66dad']],
    ['the placeholder', ['{tenantid}']],
  ])('is not made with a list of %s', async (_, entraTenants) => {
    const { kind } = await toBoth();
    expect(kind.input.safeParse({ ...common(), clientId: 'a', clientSecret: 'b', entraTenants }).success).toBe(false);
    expect(kind.input.safeParse({ ...common(), clientId: 'a', clientSecret: 'b', entraTenants: [acme] }).success).toBe(
      true,
    );
  });

  test('keeps its list until it is given another one, and loses it with the issuer', async () => {
    const one = await toBoth();
    const shown = () => one.kind.viewOf(one.at.settings, one.at.id);
    await one.change({ clientId: 'other' });
    expect(shown()).toEqual({ ...organizations(), clientId: 'other', entraTenants: [acme, globex] });
    await one.change({ entraTenants: [globex] });
    expect(await endOf(one.signIn())).toBe('id_token_claims');
    provider.lies({});
    await one.change({ issuer: provider.issuer, clientSecret: 'another' });
    expect(shown()).toEqual({ issuer: provider.issuer, clientId: 'other' });
  });
});

describe('somebody comes from', () => {
  test.each([
    ['a directory that is listed', { tid: 'acme', iss: 'acme' }, 'accepted'],
    ['the other one that is listed', { tid: 'globex', iss: 'globex' }, 'accepted'],
    ['a directory that is not listed', { tid: 'stranger', iss: 'stranger' }, 'id_token_claims'],
    ['a directory that is listed, by the issuer of another', { tid: 'acme', iss: 'stranger' }, 'id_token_claims'],
    [
      'a directory that is not listed, by the issuer of one that is',
      { tid: 'stranger', iss: 'acme' },
      'id_token_claims',
    ],
    ['one that is listed, by the issuer of the other', { tid: 'acme', iss: 'globex' }, 'id_token_claims'],
    ['no directory', { tid: undefined, iss: 'acme' }, 'id_token_claims'],
    ['the template', { tid: '{tenantid}', iss: '{tenantid}' }, 'id_token_claims'],
    ['several directories', { tid: ['acme'], iss: 'acme' }, 'id_token_claims'],
  ])('%s', async (_, { tid, iss }, end) => {
    const ids: Record<string, string> = { acme, globex, stranger };
    const idOf = (name: unknown) => (typeof name === 'string' ? (ids[name] ?? name) : name);
    const asId = Array.isArray(tid) ? tid.map(idOf) : idOf(tid);
    const one = await toBoth();
    provider.lies(saying({ tid: asId, iss: issuerOf(String(idOf(iss))) } as JWTPayload));
    expect(await endOf(one.signIn())).toBe(end);
    provider.lies(entra());
    expect(await endOf(one.signIn())).toBe('accepted');
  });

  test('two directories under one subject, and is two people', async () => {
    const one = await toBoth();
    const first = await one.signIn();
    provider.lies(saying({ tid: globex, iss: issuerOf(globex) }));
    const second = await one.signIn();
    expect([first, second]).toMatchObject([
      { issuer: issuerOf(acme), subject: `${acme}/ada` },
      { issuer: issuerOf(globex), subject: `${globex}/ada` },
    ]);
  });
});

describe('what else is checked of a sign-in there', () => {
  test('is all that is checked of others', async () => {
    const one = await toBoth();
    const wrong: [JWTPayload, string][] = [
      [{ aud: 'them' }, 'id_token_claims'],
      [{ nonce: 'other' }, 'id_token_claims'],
      [{ exp: 1 }, 'id_token_claims'],
      [{ at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }, 'access_token_hash'],
    ];
    for (const [change, end] of wrong) {
      provider.lies(saying(change));
      expect(await endOf(one.signIn())).toBe(end);
    }
    provider.lies(entra({ idToken: () => undefined }));
    expect(await endOf(one.signIn())).toBe('id_token_missing');
    provider.lies(entra({ tokens: { token_type: 'DPoP' } }));
    expect(await endOf(one.signIn())).toBe('provider_response');
    provider.lies(entra());
    const { pending, brought } = await one.begun();
    expect(await endOf(one.kind.complete(one.at, { pending, brought: `${brought}x` }))).not.toBe('accepted');
    provider.lies(entra({ back: parameters => parameters.set('code', 'x') }));
    expect(await endOf(one.signIn())).toBe('code_exchange');
    provider.lies(entra());
    expect(await endOf(one.signIn())).toBe('accepted');
  });

  test('is the token endpoint’s own answer: it is asked once', async () => {
    const one = await toBoth();
    const asked = () => provider.requests.filter(({ path }) => path === '/token').length;
    const before = asked();
    await one.signIn();
    expect(asked() - before).toBe(1);
  });

  test('is whose the key is, where the key set says so', async () => {
    const one = (keys: object[]) => {
      provider.lies(entra({ keys: () => ({ keys }) }));
      return endOf(toBoth().then(made => made.signIn()));
    };
    expect(await one([{ ...key.jwk, issuer: template() }])).toBe('accepted');
    expect(await one([{ ...key.jwk, issuer: issuerOf(acme) }])).toBe('accepted');
    expect(await one([{ ...key.jwk, issuer: issuerOf(stranger) }])).toBe('id_token_signature');
    expect(await one([{ ...key.jwk, issuer: issuerOf(globex) }])).toBe('id_token_signature');
    const foreign = await newProviderKey();
    expect(await one([foreign.jwk])).toBe('id_token_signature');
  });

  test('is the issuer beside the code, against the list and against the ID token', async () => {
    const one = await toBoth();
    const beside = (iss: string) => {
      provider.lies(entra({ back: parameters => parameters.set('iss', iss) }));
      return endOf(one.signIn());
    };
    expect(await beside(issuerOf(acme))).toBe('accepted');
    expect(await beside(issuerOf(stranger))).toBe('response_mismatch');
    expect(await beside(issuerOf(globex))).toBe('response_mismatch');
  });
});
