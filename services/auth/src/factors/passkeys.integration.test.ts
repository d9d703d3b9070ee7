// Passkeys over real HTTP, by an authenticator in software: what is taken, and what is not although it is signed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import { type Browser, type EventReader, eventually, type Page, readEvents, textsIn } from '@reeve/testing';
import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import { type Application, type Auth, callback, startAuth } from '../auth.test-support.ts';
import { newAuthenticator, optionsOn } from './authenticator.test-support.ts';

const resistant = 'urn:reeve:acr:phishing-resistant';
const rpId = 'localhost';

let auth: Auth;
let events: EventReader;
let tenantId: TenantId;
let application: Application;
let here: { origin: string; rpId: string };

async function inNewTenant(): Promise<void> {
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
}

beforeAll(async () => {
  auth = await startAuth({}, { host: 'localhost' });
  events = await readEvents('reeve.auth.v1');
  here = { origin: auth.url, rpId };
}, 60_000);
afterAll(async () => {
  await events.stop();
  await auth.stop();
});
beforeEach(async () => {
  await inNewTenant();
  auth.provider.is({ sub: newId('request'), email: 'ada@acme.example' });
}, 30_000);

const actionOf = (page: Page) => /action="(\/interaction\/[^"]+)"/.exec(page.text)?.[1] ?? '';
const answer = (browser: Browser, page: Page, fields: Record<string, string>) =>
  browser.submit({ ...page, text: `<form method="post" action="${actionOf(page)}"></form>` }, fields, callback);
const isBack = ({ url }: Page) => url.href.startsWith(callback) && url.searchParams.has('code');
const challengeOn = (page: Page) => optionsOn(page).challenge;
const asked = () => auth.authorize(application, { acr_values: resistant });
const shows = (browser: Browser, page: Page, credential: string) =>
  answer(browser, page, { factor: 'passkey', credential });
const failures = () =>
  events
    .of(tenantId)
    .filter(({ type }) => type === 'step_up.failed')
    .map(({ data }) => data.reason?.code);

/** A person with a passkey, whose authenticator counts from 1 on. */
async function withPasskey() {
  const authenticator = newAuthenticator();
  const { browser, page, verifier } = await asked();
  const credential = authenticator.registers({ ...here, challenge: challengeOn(page) });
  const codes = await answer(browser, page, { factor: 'confirm-passkey', credential, name: 'My laptop' });
  const back = await answer(browser, codes, { factor: 'done' });
  return { authenticator, browser, page, back, verifier, credential, recoveryCodes: textsIn(codes, 'li code') };
}

test('a passkey is set up at the first sign-in that needs one, and shown at the next', async () => {
  const { authenticator, back, verifier } = await withPasskey();
  const { body } = await auth.token(application, {
    grant_type: 'authorization_code',
    code: back.url.searchParams.get('code') ?? '',
    redirect_uri: callback,
    code_verifier: verifier,
  });
  expect(decodeJwt(body['id_token'] ?? '')).toMatchObject({ acr: resistant, amr: ['fed', 'pop', 'user', 'mfa'] });
  const { browser, page } = await asked();
  expect(optionsOn(page)).toMatchObject({
    rpId,
    userVerification: 'required',
    allowCredentials: [{ id: authenticator.id }],
  });
  const credential = authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 1 });
  expect(isBack(await shows(browser, page, credential))).toBe(true);
});

describe('to set one up, what a browser brings', () => {
  test.each([
    ['of another origin', { origin: 'https://reeve.example.attacker.example' }],
    ['of another relying party', { rpId: 'attacker.example' }],
    ['that did not look who is there', { isVerified: false }],
    ['to another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
    ['that was made to show one', { type: 'webauthn.get' }],
  ])('%s is not taken', async (_, lie) => {
    const authenticator = newAuthenticator();
    const { browser, page } = await asked();
    const wrong = authenticator.registers({ ...here, challenge: challengeOn(page), ...lie });
    const refused = await answer(browser, page, { factor: 'confirm-passkey', credential: wrong });
    expect(textsIn(refused, '#complaint')[0]).toMatch(/passkey was not accepted/);
    const right = authenticator.registers({ ...here, challenge: challengeOn(refused) });
    const taken = await answer(browser, refused, { factor: 'confirm-passkey', credential: right });
    expect(textsIn(taken, 'h1')[0]).toBe('Keep these recovery codes');
  });

  test('from another sign-in of the same person is not taken', async () => {
    const authenticator = newAuthenticator();
    const [one, other] = [await asked(), await asked()];
    const credential = authenticator.registers({ ...here, challenge: challengeOn(one.page) });
    const refused = await answer(other.browser, other.page, { factor: 'confirm-passkey', credential });
    expect(textsIn(refused, '#complaint')).toHaveLength(1);
    const taken = await answer(one.browser, one.page, { factor: 'confirm-passkey', credential });
    expect(textsIn(taken, 'h1')[0]).toBe('Keep these recovery codes');
  });
});

describe('to show one, what a browser brings', () => {
  test.each([
    ['of another origin', { origin: 'https://localhost.attacker.example' }, 'invalid'],
    ['of another relying party', { rpId: 'attacker.example' }, 'invalid'],
    ['that did not look who is there', { isVerified: false }, 'invalid'],
    ['to another challenge', { challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }, 'invalid'],
    ['that was made to set one up', { type: 'webauthn.create' }, 'invalid'],
  ])('%s is refused, on the record, and its challenge is used up', async (_, lie, reason) => {
    const { authenticator } = await withPasskey();
    const { browser, page } = await asked();
    const challenge = challengeOn(page);
    const refused = await shows(browser, page, authenticator.asserts({ ...here, challenge, counter: 1, ...lie }));
    expect(textsIn(refused, '#complaint')[0]).toMatch(/passkey was not accepted/);
    const late = await shows(browser, page, authenticator.asserts({ ...here, challenge, counter: 2 }));
    expect(textsIn(late, '#complaint')).toHaveLength(1);
    const right = authenticator.asserts({ ...here, challenge: challengeOn(late), counter: 3 });
    expect(isBack(await shows(browser, late, right))).toBe(true);
    await eventually('the events', () => failures().length === 2);
    expect(failures()).toEqual([reason, 'invalid']);
  });

  test('for another sign-in of the same person is refused, and so is what was used', async () => {
    const { authenticator } = await withPasskey();
    const [one, other] = [await asked(), await asked()];
    const credential = authenticator.asserts({ ...here, challenge: challengeOn(one.page), counter: 1 });
    expect(isBack(await shows(other.browser, other.page, credential))).toBe(false);
    expect(isBack(await shows(one.browser, one.page, credential))).toBe(true);
    const third = await asked();
    expect(isBack(await shows(third.browser, third.page, credential))).toBe(false);
  });

  test('counts once of ten at the same moment', async () => {
    const { authenticator } = await withPasskey();
    const { browser, page } = await asked();
    const credential = authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 1 });
    const came = await Promise.all(Array.from({ length: 10 }, () => shows(browser, page, credential)));
    await eventually(
      'the end',
      () => events.of(tenantId).filter(({ type }) => type === 'step_up.succeeded').length > 1,
    );
    expect(came.filter(isBack).length).toBeLessThanOrEqual(1);
    // One at the first sign-in, and one of these.
    expect(events.of(tenantId).filter(({ type }) => type === 'step_up.succeeded')).toHaveLength(2);
  });

  test('with the counter of a copy is refused', async () => {
    const { authenticator } = await withPasskey();
    const first = await asked();
    const used = authenticator.asserts({ ...here, challenge: challengeOn(first.page), counter: 5 });
    expect(isBack(await shows(first.browser, first.page, used))).toBe(true);
    const { browser, page } = await asked();
    const copied = authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 5 });
    const refused = await shows(browser, page, copied);
    expect(isBack(refused)).toBe(false);
    await eventually('the event', () => failures().length === 1);
    expect(failures()).toEqual(['copied']);
    const next = authenticator.asserts({ ...here, challenge: challengeOn(refused), counter: 6 });
    expect(isBack(await shows(browser, refused, next))).toBe(true);
  });

  test('is another person’s, or another tenant’s, and refused', async () => {
    const ada = await withPasskey();
    auth.provider.is({ sub: 'grace' });
    const grace = await withPasskey();
    const { browser, page } = await asked();
    const stolen = ada.authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 1 });
    const refused = await shows(browser, page, stolen);
    expect(isBack(refused)).toBe(false);
    const own = grace.authenticator.asserts({ ...here, challenge: challengeOn(refused), counter: 1 });
    expect(isBack(await shows(browser, refused, own))).toBe(true);
    await eventually('the event', () => failures().length === 1);
    expect(failures()).toEqual(['unknown']);
    await inNewTenant();
    const there = await withPasskey();
    const elsewhere = await asked();
    const foreign = grace.authenticator.asserts({ ...here, challenge: challengeOn(elsewhere.page), counter: 2 });
    const again = await shows(elsewhere.browser, elsewhere.page, foreign);
    expect(isBack(again)).toBe(false);
    const right = there.authenticator.asserts({ ...here, challenge: challengeOn(again), counter: 1 });
    expect(isBack(await shows(elsewhere.browser, again, right))).toBe(true);
  });

  test('is nothing of the kind, and refused', async () => {
    await withPasskey();
    const { browser, page } = await asked();
    let last = page;
    for (const nothing of [
      '',
      '{',
      'null',
      '[]',
      '{"id":1}',
      JSON.stringify({ id: 'x', rawId: 'x', type: 'public-key' }),
    ])
      last = await shows(browser, last, nothing);
    expect([last.status, isBack(last)]).toEqual([200, false]);
  });
});

test('a recovery code leads whoever has lost their passkey to a new one, and is not enough by itself', async () => {
  const { recoveryCodes } = await withPasskey();
  const { browser, page } = await asked();
  const next = await answer(browser, page, { factor: 'recovery', code: recoveryCodes[0] ?? '' });
  expect([isBack(next), textsIn(next, 'h1')[0]]).toEqual([false, 'Set up a passkey']);
  const credential = newAuthenticator().registers({ ...here, challenge: challengeOn(next) });
  expect(isBack(await answer(browser, next, { factor: 'confirm-passkey', credential }))).toBe(true);
});

describe('a session that goes on', () => {
  /** With a TOTP, by which it has reached less than what is asked for next. */
  async function withTotp() {
    const first = await auth.authorize(application, { enrol: 'totp' });
    const secret = (textsIn(first.page, 'code')[0] ?? '').replaceAll(' ', '');
    const codes = await answer(first.browser, first.page, { factor: 'confirm-totp', code: codeOf(secret) });
    await answer(first.browser, codes, { factor: 'done' });
    return { secret, browser: first.browser, recoveryCodes: textsIn(codes, 'li code') };
  }
  const codeOf = (secret: string, later = 0) =>
    new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + later * 30_000 });

  test('gets a passkey only after the provider and the factor that is there, of that very person', async () => {
    const grace = { sub: newId('request') };
    auth.provider.is(grace);
    const hers = await withTotp();
    auth.provider.is({ sub: newId('request') });
    const { secret, browser } = await withTotp();
    const asked = auth.provider.asked.length;
    const { page } = await auth.authorize(application, { browser, acr_values: resistant });
    expect([auth.provider.asked.length, textsIn(page, 'h1')[0]]).toEqual([asked + 1, 'One more step']);
    const next = await answer(browser, page, { factor: 'totp', code: codeOf(secret, 1) });
    expect(textsIn(next, 'h1')[0]).toBe('Set up a passkey');
    const credential = newAuthenticator().registers({ ...here, challenge: challengeOn(next) });
    expect(isBack(await answer(browser, next, { factor: 'confirm-passkey', credential }))).toBe(true);
    // Somebody else comes back from the provider: nothing that the first has shown is theirs.
    auth.provider.is(grace);
    const { page: other } = await auth.authorize(application, { browser, acr_values: resistant, prompt: 'login' });
    expect(textsIn(other, 'h1')[0]).toBe('One more step');
    expect(isBack(await answer(browser, other, { factor: 'confirm-passkey', credential }))).toBe(false);
    const own = await answer(browser, other, { factor: 'totp', code: codeOf(hers.secret, 1) });
    expect(textsIn(own, 'h1')[0]).toBe('Set up a passkey');
  });

  /** With a passkey whose next count is 2, and a TOTP whose code of now is used. */
  async function withBoth() {
    const { authenticator } = await withPasskey();
    const { browser, page } = await auth.authorize(application, { enrol: 'totp' });
    const shown = authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 1 });
    const setUp = await shows(browser, page, shown);
    const secret = (textsIn(setUp, 'code')[0] ?? '').replaceAll(' ', '');
    await answer(browser, setUp, { factor: 'confirm-totp', code: codeOf(secret) });
    return { authenticator, secret };
  }

  test('gets another passkey by one that is there, and not by a code of six digits', async () => {
    const { authenticator, secret } = await withBoth();
    const at = await auth.authorize(application, { acr_values: 'urn:reeve:acr:mfa', enrol: 'passkey' });
    expect(textsIn(at.page, 'h1')[0]).toBe('One more step');
    // A code is enough for the level that is asked for.
    const byCode = await answer(at.browser, at.page, { factor: 'totp', code: codeOf(secret, 1) });
    expect([textsIn(byCode, 'h1')[0], textsIn(byCode, '#complaint')]).toEqual(['One more step', []]);
    const forged = newAuthenticator().registers({ ...here, challenge: challengeOn(byCode) });
    const stopped = await answer(at.browser, byCode, { factor: 'confirm-passkey', credential: forged });
    expect([isBack(stopped), textsIn(stopped, 'h1')[0]]).toEqual([false, 'One more step']);
    const own = authenticator.asserts({ ...here, challenge: challengeOn(stopped), counter: 2 });
    expect(textsIn(await shows(at.browser, stopped, own), 'h1')[0]).toBe('Set up a passkey');
  });

  test('gets no recovery codes and loses no passkey by a code of six digits, and does by the passkey', async () => {
    const { authenticator, secret } = await withBoth();
    const tokenBy = async (show: (at: Awaited<ReturnType<typeof auth.authorize>>) => Promise<Page>, acr: string) => {
      const at = await auth.authorize(application, { acr_values: acr, resource: auth.url });
      const back = await show(at);
      const { body } = await auth.token(application, {
        grant_type: 'authorization_code',
        code: back.url.searchParams.get('code') ?? '',
        redirect_uri: callback,
        code_verifier: at.verifier,
      });
      return body['access_token'] ?? '';
    };
    const byCode = await tokenBy(
      ({ browser: at, page: challenge }) => answer(at, challenge, { factor: 'totp', code: codeOf(secret, 1) }),
      'urn:reeve:acr:mfa',
    );
    const own = await auth.ask<{ items: { id: string; kind: string }[] }>('GET', '/v1/me/factors', { as: byCode });
    const passkey = own.body.items.find(({ kind }) => kind === 'passkey');
    const newCodes = (as: string) => auth.ask('POST', '/v1/me/factors', { as, body: { kind: 'recovery_codes' } });
    const remove = (as: string) => auth.ask('DELETE', `/v1/me/factors/${passkey?.id}`, { as });
    expect([(await newCodes(byCode)).status, (await remove(byCode)).status]).toEqual([401, 401]);
    const byPasskey = await tokenBy(
      ({ browser: at, page: challenge }) =>
        shows(at, challenge, authenticator.asserts({ ...here, challenge: challengeOn(challenge), counter: 2 })),
      resistant,
    );
    expect([(await newCodes(byPasskey)).status, (await remove(byPasskey)).status]).toEqual([201, 204]);
  });

  test('uses up no recovery code before it leads anywhere', async () => {
    const { browser, recoveryCodes } = await withPasskey();
    const [code = ''] = recoveryCodes;
    // A sign-in without any level takes back what the session had.
    await auth.signIn(application, { browser, prompt: 'login' });
    const { page } = await auth.authorize(application, { browser, acr_values: resistant });
    const asked = auth.provider.asked.length;
    const again = await answer(browser, page, { factor: 'recovery', code });
    expect([auth.provider.asked.length, textsIn(again, 'h1')[0]]).toEqual([asked + 1, 'One more step']);
    const next = await answer(browser, again, { factor: 'recovery', code });
    expect(textsIn(next, 'h1')[0]).toBe('Set up a passkey');
  });
});

test('the same authenticator is not set up twice', async () => {
  const { authenticator } = await withPasskey();
  const { browser, page } = await auth.authorize(application, { enrol: 'passkey' });
  const own = authenticator.asserts({ ...here, challenge: challengeOn(page), counter: 1 });
  const setUp = await shows(browser, page, own);
  expect(optionsOn(setUp)).toMatchObject({ excludeCredentials: [{ id: authenticator.id }] });
  const credential = authenticator.registers({ ...here, challenge: challengeOn(setUp) });
  const refused = await answer(browser, setUp, { factor: 'confirm-passkey', credential });
  expect(textsIn(refused, '#complaint')).toHaveLength(1);
  const other = newAuthenticator().registers({ ...here, challenge: challengeOn(refused) });
  expect(isBack(await answer(browser, refused, { factor: 'confirm-passkey', credential: other }))).toBe(true);
});
