// A connection that proves itself by a key (`private_key_jwt`): what it sends, and that the key goes nowhere.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type IdentityProvider, startIdentityProvider } from '@reeve/testing';
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import { type Connected, connected, endOf, ownIssuer } from './oidc.test-support.ts';
import { settingsSchema } from './settings.ts';

let provider: IdentityProvider;
const byKey = { privateKeyJwt: true };

beforeAll(async () => {
  provider = await startIdentityProvider();
  provider.is({ sub: 'ada', email: 'ada@acme.example', name: 'Ada' });
});
afterAll(() => provider.stop());
beforeEach(() => provider.lies({}));

const announcing = (discovery: object) => provider.lies({ discovery });
const keysOf = ({ at }: Connected): JWK[] => [settingsSchema.parse(at.settings).clientKey ?? []].flat() as JWK[];
const lastAsked = () => provider.requests.findLast(({ path }) => path === '/token');

/** The assertion that was sent last, as a provider reads it that has our keys. */
async function assertionOf(one: Connected) {
  const assertion = lastAsked()?.form.get('client_assertion') ?? '';
  const { payload } = await jwtVerify(assertion, createLocalJWKSet({ keys: keysOf(one) }));
  return { payload, header: decodeProtectedHeader(assertion) };
}

describe('a connection by a key', () => {
  test('signs what it sends for the issuer, as one text, once and for a minute', async () => {
    const one = await connected(provider, { given: byKey });
    expect(await endOf(one.signIn())).toBe('accepted');
    const first = await assertionOf(one);
    expect(first.payload).toMatchObject({ iss: 'reeve', sub: 'reeve', aud: provider.issuer });
    expect((first.payload.exp ?? 0) - (first.payload.iat ?? 0)).toBeLessThanOrEqual(60);
    expect(first.header).toMatchObject({ alg: 'ES256', kid: keysOf(one)[0]?.kid });
    const form = lastAsked()?.form;
    expect(form?.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    expect([form?.has('client_secret'), lastAsked()?.headers.authorization]).toEqual([false, undefined]);
    await one.signIn();
    expect((await assertionOf(one)).payload.jti).not.toBe(first.payload.jti);
  });

  test('shows where its keys are, and keeps the private one in the vault alone', async () => {
    const one = await connected(provider, { given: byKey });
    const { kind, at } = one;
    expect(kind.viewOf(at.settings, at.id)).toEqual({
      issuer: provider.issuer,
      clientId: 'reeve',
      jwksUri: `${ownIssuer}/oidc/${at.id}/jwks`,
    });
    const [key, ...more] = keysOf(one);
    expect(more).toEqual([]);
    expect(Object.keys(key ?? {}).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    expect(JSON.stringify(at.settings)).not.toContain('"d"');
  });

  test.each([
    ['ES256', ['RS256', 'ES256']],
    ['PS256', ['RS256', 'PS256']],
    ['RS256', ['RS256', 'HS256']],
  ])('signs by %s at a provider that takes %j', async (alg, algorithms) => {
    announcing({ token_endpoint_auth_signing_alg_values_supported: algorithms });
    const one = await connected(provider, { given: byKey });
    expect(await endOf(one.signIn())).toBe('accepted');
    expect((await assertionOf(one)).header.alg).toBe(alg);
  });

  test.each([
    ['no algorithm of ours', { token_endpoint_auth_signing_alg_values_supported: ['HS256', 'ES512'] }],
    ['no keys', { token_endpoint_auth_methods_supported: ['client_secret_basic'] }],
  ])('is not made at a provider that takes %s; one by a secret is', async (_, discovery) => {
    announcing(discovery);
    await expect(connected(provider, { given: byKey })).rejects.toMatchObject({
      errors: [{ field: 'oidc.privateKeyJwt' }],
    });
    expect(await endOf(connected(provider))).toBe('accepted');
  });

  test('is the only one that is made at a provider that takes no secrets', async () => {
    announcing({ token_endpoint_auth_methods_supported: ['private_key_jwt'] });
    await expect(connected(provider)).rejects.toMatchObject({ errors: [{ field: 'oidc.clientSecret' }] });
    expect(await endOf(connected(provider, { given: byKey }).then(one => one.signIn()))).toBe('accepted');
  });
});

describe('a change', () => {
  test('keeps the key, unless a key is asked for again or the provider takes it no more', async () => {
    const one = await connected(provider, { given: byKey });
    const names = [keysOf(one)[0]?.kid];
    const changes: [discovery: object, change: object][] = [
      [{}, { scopes: ['groups'] }],
      [{}, { privateKeyJwt: true }],
      [{ token_endpoint_auth_signing_alg_values_supported: ['PS256'] }, { issuer: provider.issuer }],
    ];
    for (const [discovery, change] of changes) {
      announcing(discovery);
      await one.change(change);
      expect(await endOf(one.signIn())).toBe('accepted');
      names.push(keysOf(one)[0]?.kid);
    }
    expect(names[1]).toBe(names[0]);
    expect(new Set(names).size).toBe(3);
  });

  test('from a secret to a key and back leaves nothing of the one before', async () => {
    const one = await connected(provider);
    expect(keysOf(one)).toEqual([]);
    await one.change({ privateKeyJwt: true });
    expect(await endOf(one.signIn())).toBe('accepted');
    expect(lastAsked()?.form.has('client_assertion')).toBe(true);
    await one.change({ clientSecret: 'another' });
    expect(keysOf(one)).toEqual([]);
    expect(await endOf(one.signIn())).toBe('accepted');
    expect(lastAsked()?.headers.authorization).toMatch(/^Basic /);
  });

  test('to another issuer needs another secret: nobody reads the one that is there by being sent it', async () => {
    const elsewhere = await startIdentityProvider();
    const one = await connected(provider, { trusted: [elsewhere.issuer] });
    await expect(one.change({ issuer: elsewhere.issuer })).rejects.toMatchObject({
      errors: [{ field: 'oidc.clientSecret', message: 'was given for another issuer' }],
    });
    await one.change({ issuer: provider.issuer });
    expect(await endOf(one.signIn())).toBe('accepted');
    await one.change({ issuer: elsewhere.issuer, clientSecret: 'another' });
    expect(await endOf(one.signIn())).toBe('accepted');
    const [, sent = ''] = elsewhere.requests.at(-2)?.headers.authorization?.split(' ') ?? [];
    expect(Buffer.from(sent, 'base64').toString()).toBe('reeve:another');
    await elsewhere.stop();
  });

  test.each([
    ['to a key', {}, { privateKeyJwt: true }],
    ['to another key', byKey, { privateKeyJwt: true }],
    ['to a secret', byKey, { clientSecret: 'another' }],
  ])(
    '%s, half made, sends nothing: neither the key as a secret nor what belongs to other settings',
    async (_, given, to) => {
      const one = await connected(provider, { given });
      const { secret } = await one.kind.prepare(to, one.at.settings);
      one.secrets.put(one.at, secret ?? '');
      const sent = provider.requests.length;
      const begun = await one.begun();
      expect(await endOf(one.kind.complete(one.at, begun))).toBe('dependency_unavailable');
      expect(provider.requests.slice(sent).filter(({ path }) => path === '/token')).toEqual([]);
    },
  );
});

describe('settings', () => {
  const usual = () => ({ issuer: provider.issuer, clientId: 'reeve' });

  test.each([
    ['neither a secret nor a key', {}],
    ['both', { clientSecret: 'a', privateKeyJwt: true }],
    ['no key', { privateKeyJwt: false }],
    ['a secret that looks like a key of ours', { clientSecret: 'private-key-jwt:{}' }],
    ['a scope that is two', { clientSecret: 'a', scopes: ['a b'] }],
    ['a scope that is a text in quotes', { clientSecret: 'a', scopes: ['"a"'] }],
    ['a scope for a token that nobody keeps', { clientSecret: 'a', scopes: ['offline_access'] }],
    ['too many scopes', { clientSecret: 'a', scopes: Array.from({ length: 21 }, (_, index) => `s${index}`) }],
  ])('with %s are refused', async (_, given) => {
    const { kind } = await connected(provider);
    expect(kind.input.safeParse({ ...usual(), ...given }).success).toBe(false);
    expect(kind.input.safeParse({ ...usual(), clientSecret: 'a', scopes: ['groups'] }).success).toBe(true);
    expect(kind.input.safeParse({ ...usual(), privateKeyJwt: true }).success).toBe(true);
  });

  test('name scopes that are asked for besides the usual ones', async () => {
    const one = await connected(provider, { given: { scopes: ['groups', 'email'] } });
    await one.signIn();
    expect(provider.asked.at(-1)?.get('scope')).toBe('openid email profile groups');
    await one.change({ scopes: [] });
    await one.signIn();
    expect(provider.asked.at(-1)?.get('scope')).toBe('openid email profile');
  });
});
