import { expect, test } from '@jest/globals';
import { createAppToken, type Granted, NoTokenError } from './app-token.ts';

const lifetimeMs = 300_000;

/** Each token is another one, unless `refuses` says why not. */
function given() {
  const state = { now: 0, granted: 0, refuses: null as Error | null };
  const grant = async (): Promise<Granted> => {
    state.granted += 1;
    if (state.refuses) throw state.refuses;
    return { token: `token ${state.granted}`, expiresInMs: lifetimeMs };
  };
  const { get } = createAppToken({ grant, now: () => state.now });
  const appToken = { get: async (options?: { isFresh: boolean }) => (await get(options)).token };
  return { state, appToken };
}

const away = new NoTokenError('away', { isFinal: false, cause: null });
const refused = new NoTokenError('refused', { isFinal: true, cause: null });

test('a token is kept until a minute before it expires', async () => {
  const { state, appToken } = given();
  expect(await appToken.get()).toBe('token 1');
  state.now = lifetimeMs - 60_001;
  expect(await appToken.get()).toBe('token 1');
  state.now = lifetimeMs - 60_000;
  expect(await appToken.get()).toBe('token 2');
});

test('however many ask, it is got once', async () => {
  const { state, appToken } = given();
  const all = await Promise.all(Array.from({ length: 50 }, () => appToken.get()));
  expect([new Set(all).size, state.granted]).toEqual([1, 1]);
});

test('who wants a fresh one gets it, and so does everybody after', async () => {
  const { appToken } = given();
  await appToken.get();
  expect(await appToken.get({ isFresh: true })).toBe('token 2');
  expect(await appToken.get()).toBe('token 2');
});

test('while Reeve is away the token from before is given for as long as it counts', async () => {
  const { state, appToken } = given();
  await appToken.get();
  state.refuses = away;
  state.now = lifetimeMs - 1;
  expect(await appToken.get()).toBe('token 1');
  state.now = lifetimeMs;
  await expect(appToken.get()).rejects.toBe(away);
  state.refuses = null;
  expect(await appToken.get()).toMatch(/^token/);
});

test('an application that Reeve refuses is not asked for again at once, and its token from before is over', async () => {
  const { state, appToken } = given();
  await appToken.get();
  state.refuses = refused;
  await expect(appToken.get({ isFresh: true })).rejects.toBe(refused);
  for (let times = 0; times < 40; times += 1) await expect(appToken.get()).rejects.toBe(refused);
  expect(state.granted).toBe(2);
  state.refuses = null;
  state.now = 15_000;
  expect(await appToken.get()).toBe('token 3');
});
