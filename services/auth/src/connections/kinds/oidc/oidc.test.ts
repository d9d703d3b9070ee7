// The kind by itself: what it makes of settings, and what it keeps of an answer. That sign-ins by it work is shown with
// the service.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, serviceCause } from '@reeve/contracts';
import { type IdentityProvider, startIdentityProvider } from '@reeve/testing';
import type { Vault } from '@reeve/vault';
import type { At, ConnectionKind } from '../kind.ts';
import { createReadSecret } from '../secret.ts';
import { oidc } from './oidc.ts';

const ownIssuer = 'https://auth.example';
let provider: IdentityProvider;
let kind: ConnectionKind;
let reads = 0;

beforeAll(async () => {
  provider = await startIdentityProvider();
  const vault = {
    read: async () => {
      reads += 1;
      return Buffer.from('the secret');
    },
  } as unknown as Vault;
  kind = oidc({ readSecret: createReadSecret({ vault }), fetch: (input, init) => fetch(input, init), ownIssuer });
});
afterAll(() => provider.stop());

const given = () => ({ issuer: provider.issuer, clientId: 'reeve', clientSecret: 'the secret' });
const wish = { again: false, isDemanded: false };
const at = async (secretName = 'one'): Promise<At> => ({
  tenantId: newId('tenant'),
  id: newId('connection'),
  secretName,
  settings: (await kind.prepare(given(), null)).settings,
  cause: serviceCause('test', { correlationId: 'c' }),
});

describe('settings', () => {
  test('are what was discovered, and hold no secret', async () => {
    const { settings, issuer, secret } = await kind.prepare(given(), null);
    expect([issuer, secret]).toEqual([provider.issuer, 'the secret']);
    expect(JSON.stringify(settings)).not.toContain('the secret');
    expect(kind.viewOf(settings, 'a connection')).toEqual({ issuer: provider.issuer, clientId: 'reeve' });
  });

  test('that change in part keep the rest; the issuer is discovered again only when it is said', async () => {
    const { settings } = await kind.prepare(given(), null);
    const changed = await kind.prepare({ clientId: 'other' }, settings);
    expect(kind.viewOf(changed.settings, 'a connection')).toEqual({ issuer: provider.issuer, clientId: 'other' });
    expect(changed.secret).toBeNull();
    await expect(kind.prepare({ issuer: 'http://127.0.0.1:1' }, settings)).rejects.toMatchObject({
      code: 'connection_unreachable',
    });
  });
});

describe('what returns', () => {
  test('names the sign-in that it belongs to, by a state that nobody can guess', async () => {
    const signInId = 'an-interaction-id';
    const [one, other] = await Promise.all([0, 1].map(async () => kind.begin(await at(), { signInId, wish })));
    const states = [one, other].map(begun => new URL(begun?.leaveFor as string).searchParams.get('state') ?? '');
    expect(new Set(states).size).toBe(2);
    for (const state of states) expect(kind.signInIdOf(new URLSearchParams({ state }))).toBe(signInId);
  });

  test.each([
    '',
    'state=',
    'state=x',
    'state=../../evil.x',
    'state=an-interaction-id.a&state=an-interaction-id.b',
    `state=${'a'.repeat(99)}.x`,
  ])('as %j names none', query => {
    expect(kind.signInIdOf(new URLSearchParams(query))).toBeNull();
  });

  test.each([
    [{}, null],
    [{ again: true }, 'login'],
    [{ selectAccount: true }, 'select_account'],
    [{ again: true, selectAccount: true }, 'login select_account'],
  ])('was asked for as the application wishes: %j', async (more, prompt) => {
    const { leaveFor } = await kind.begin(await at(), {
      signInId: 'an-interaction-id',
      wish: { ...wish, ...more, uiLocales: 'de' },
    });
    const { searchParams } = new URL(leaveFor as string);
    expect([searchParams.get('prompt'), searchParams.get('ui_locales')]).toEqual([prompt, 'de']);
  });

  async function come(claims: object) {
    const where = await at();
    provider.is({ sub: 'ada', ...claims });
    const { leaveFor, pending } = await kind.begin(where, { signInId: 'an-interaction-id', wish });
    const back = await fetch(leaveFor as string, { redirect: 'manual' });
    return kind.complete(where, { pending, brought: new URL(back.headers.get('location') ?? '').search });
  }

  test('is who the provider says, in a form that we know; what is odd is left out', async () => {
    expect(
      await come({ email: 'ada@acme.example', email_verified: true, auth_time: 1_764_000_000, amr: ['pwd', 7] }),
    ).toMatchObject({
      issuer: provider.issuer,
      subject: 'ada',
      email: 'ada@acme.example',
      emailVerified: true,
      displayName: null,
      amr: ['pwd'],
      acr: null,
      authenticatedAt: '2025-11-24T16:00:00.000Z',
      claims: expect.objectContaining({ sub: 'ada', amr: ['pwd', 7] }),
      claimsDropped: [],
    });
    for (const odd of [
      { email: 7, name: {}, acr: '' },
      { email: 'x'.repeat(400), email_verified: 'yes' },
    ])
      expect(await come(odd)).toMatchObject({ email: null, displayName: null, acr: null, authenticatedAt: null });
    expect(await come({ email: 'a@b.example', email_verified: 1 })).toMatchObject({ emailVerified: false });
  });

  test('says no more than twenty short methods of signing in', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => `method ${index}`);
    const { amr } = await come({ amr: ['x'.repeat(100_000), '', 'half\ud800', 'm'.repeat(100), ...many] });
    expect(amr).toEqual(['m'.repeat(100), ...many.slice(0, 19)]);
    expect(await come({ acr: 'a'.repeat(201) })).toMatchObject({ acr: null });
  });

  const fromNow = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;

  test.each([
    ['long ago', 0],
    ['a fraction', 1.5],
    ['an hour ago', fromNow(-3_600)],
    ['by a clock that is a little fast', fromNow(10)],
  ])('has signed in there %s', async (_, auth_time) => {
    expect(await come({ auth_time })).toMatchObject({ authenticatedAt: new Date(auth_time * 1_000).toISOString() });
  });

  test.each([
    ['no date', 1e300, 'id_token_time'],
    ['no date, just so', 8_640_000_000_001, 'id_token_time'],
    ['in a year of five digits, as milliseconds are', Date.now(), 'id_token_time'],
    ['tomorrow', fromNow(86_400), 'id_token_time'],
    ['before there were such times', -1e300, 'id_token_claims'],
    ['a second before', -1, 'id_token_claims'],
    ['null', null, 'id_token_claims'],
    ['a text', String(fromNow(0)), 'id_token_claims'],
  ])('is not believed when they signed in at a time that is %s', async (_, auth_time, step) => {
    await expect(come({ auth_time })).rejects.toMatchObject({ name: 'StepError', step });
  });

  test('costs one reading of the secret for each that is set, since each is on the record', async () => {
    const where = await at();
    const before = reads;
    for (const secretName of ['one', 'one', 'two']) {
      provider.is({ sub: 'ada' });
      const asked = { ...where, secretName };
      const { leaveFor, pending } = await kind.begin(asked, { signInId: 'an-interaction-id', wish });
      const back = await fetch(leaveFor as string, { redirect: 'manual' });
      await kind.complete(asked, { pending, brought: new URL(back.headers.get('location') ?? '').search });
    }
    expect(reads - before).toBe(2);
  });
});
