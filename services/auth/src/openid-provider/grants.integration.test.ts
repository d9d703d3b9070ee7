// Codes and refresh tokens as one record, on a real store and by a clock of the test's own.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isId, newId } from '@reeve/contracts';
import { createGrantStore, type GrantRow, type GrantStore, grants, nameInTokens } from './grants.ts';
import { requestScope } from './request-scope.ts';
import { openRecords, request } from './requests.test-support.ts';

let opened: Awaited<ReturnType<typeof openRecords<GrantRow>>>;
const graceMs = 5_000;

beforeAll(async () => {
  opened = await openRecords(grants);
});
afterAll(() => opened.close());

const ended: string[] = [];
const tellOfEnd = async (...end: string[]) => void ended.push(...end);
const storeWith = (...keys: string[]) => createGrantStore({ ...opened, keys, graceMs, tellOfEnd });
const usual = () => storeWith('a key');
const inSeconds = (seconds: number) => opened.inSeconds(seconds);

const refused = { error: 'invalid_grant' };

const session = () => ({ tenantId: newId('tenant'), sessionId: newId('session') });

/** A grant with a code. */
const granted = (of: GrantStore = usual()) =>
  request(async () => {
    const grantId = of.nameGrant(session());
    const code = randomUUID();
    await of.saveGrant(grantId, { clientId: 'an application', exp: inSeconds(3_600) });
    await of.saveCode(code, { grantId, exp: inSeconds(60) });
    return { grantId, code };
  });

/** The refresh token that follows, in the words of the client. */
const newToken = (grantId: string, of: GrantStore = usual(), exp = inSeconds(3_600)) =>
  request(async () => {
    await of.saveRefreshToken('inside', { grantId, exp });
    return requestScope().nameOutside('inside');
  });
const find = (token: string, of: GrantStore = usual()) => request(() => of.findRefreshToken(token));
const follow = (token: string, of: GrantStore = usual()) => request(() => of.followRefreshToken(token));

describe('a grant that is void', () => {
  test('is told of once, by its name in tokens, and not where it rests on more than itself', async () => {
    const { grantId } = await granted();
    const name = nameInTokens(grantId);
    const [tenantId] = grantId.split('~');
    ended.length = 0;
    for (let round = 0; round < 2; round += 1) await request(() => usual().removeGrant(grantId));
    expect(ended).toEqual([tenantId, name]);
    const { grantId: third } = await granted();
    await request(() => usual().saveAllowedBy(third, newId('grant')));
    await request(() => usual().removeGrant(third));
    expect(ended).toEqual([tenantId, name]);
    expect(isId('grant', name)).toBe(true);
    expect(nameInTokens(third)).not.toBe(name);
  });
});

describe('a code', () => {
  test('is used by the first and found as used by those after', async () => {
    const { code, grantId } = await granted();
    expect(await request(() => usual().findCode(code))).toMatchObject({ grantId });
    expect(await request(() => usual().useCode(code))).toBe(true);
    expect(await request(() => usual().useCode(code))).toBe(false);
    expect(await request(() => usual().findCode(code))).toMatchObject({ consumed: inSeconds(0) });
  });

  test('is used by one of ten who come at once', async () => {
    const { code } = await granted();
    const all = await Promise.allSettled(Array.from({ length: 10 }, () => request(() => usual().useCode(code))));
    expect(all.filter(one => one.status === 'fulfilled' && one.value)).toHaveLength(1);
  });

  test('that somebody else has used meanwhile is refused at the end, and nothing of it is kept', async () => {
    const { code, grantId } = await granted();
    const late = request(async () => {
      expect(await usual().useCode(code)).toBe(true);
      await usual().saveRefreshToken('inside', { grantId, exp: inSeconds(3_600) });
      expect(await request(() => usual().useCode(code))).toBe(true);
    });
    await expect(late).rejects.toMatchObject(refused);
    expect((await opened.records.get(grantId))?.row.refresh).toBeUndefined();
  });

  test('is used by nobody who had found it before another one used it and a third one had it all made void', async () => {
    const { code, grantId } = await granted();
    const late = request(async () => {
      await usual().findCode(code);
      expect(await request(() => usual().useCode(code))).toBe(true);
      await request(() => usual().removeGrant(grantId));
      return usual().useCode(code);
    });
    await expect(late).rejects.toMatchObject(refused);
  });

  test('that nobody has been given is used by nobody', async () => {
    expect(await request(() => usual().useCode('never given'))).toBe(false);
  });

  test('is not kept as it is, and neither is a refresh token', async () => {
    const { code, grantId } = await granted();
    const token = await newToken(grantId);
    const kept = JSON.stringify(await opened.records.get(grantId));
    expect(kept).not.toContain(code);
    expect(kept).not.toContain(token.split('~').at(-1));
    expect(await find(token)).toBeDefined();
  });

  test('that belongs to no grant is a mistake of the provider, and is not kept as if it did', async () => {
    await expect(request(() => usual().saveCode('stray', {}))).rejects.toThrow('belong to a grant');
    await expect(request(() => usual().saveRefreshToken('stray', {}))).rejects.toThrow('belong to a grant');
    expect(await opened.records.get('')).toBeNull();
  });
});

describe('a refresh token', () => {
  test('may come again until the grace is over, and not a moment later', async () => {
    const { grantId } = await granted();
    const token = await newToken(grantId);
    expect(await follow(token)).toBe(true);
    opened.pass(graceMs);
    expect(await find(token)).not.toHaveProperty('consumed');
    expect(await follow(token)).toBe(true);
    opened.pass(1);
    expect(await find(token)).toHaveProperty('consumed');
    expect(await follow(token)).toBe(false);
  });

  test('that others have gone on from has its own successor all the same, until its own grace is over', async () => {
    const { grantId } = await granted();
    const tokens = [await newToken(grantId)];
    const next = (token: string) =>
      request(async () => {
        expect(await usual().followRefreshToken(token)).toBe(true);
        await usual().saveRefreshToken('inside', { grantId, exp: inSeconds(3_600) });
        return requestScope().nameOutside('inside');
      });
    for (let generation = 0; generation < 10; generation += 1) {
      tokens.push(await next(tokens.at(-1) ?? ''));
      opened.pass(400);
    }
    // Whoever comes last with one of them gets what the first one got.
    for (const [generation, token] of tokens.slice(0, -1).entries())
      expect(await next(token)).toBe(tokens[generation + 1]);
    opened.pass(graceMs - 4_000 + 1);
    expect(await find(tokens[0] ?? '')).toHaveProperty('consumed');
    expect(await follow(tokens[0] ?? '')).toBe(false);
    expect(await next(tokens[1] ?? '')).toBe(tokens[2]);
  });

  test('remembers as many that may come again as have come in that time, and not those from before', async () => {
    const { grantId } = await granted();
    let token = await newToken(grantId);
    for (let generation = 0; generation < 5; generation += 1) {
      token = await request(async () => {
        await usual().followRefreshToken(token);
        await usual().saveRefreshToken('inside', { grantId, exp: inSeconds(3_600) });
        return requestScope().nameOutside('inside');
      });
      opened.pass(2_000);
    }
    expect((await opened.records.get(grantId))?.row.refresh?.followedAt).toHaveLength(3);
  });

  test('from before that was kept is what it was', () => {
    const before = { grant: '{}', secret: 'x', expiresAt: 1 };
    const refresh = { payload: '{}', generation: 3, rotatedAt: 7 };
    expect(grants.upgrade?.({ ...before, refresh }, 1)).toEqual({
      ...before,
      refresh: { payload: '{}', generation: 3, followedAt: [7] },
    });
    expect(grants.upgrade?.(before, 1)).toEqual(before);
  });

  test('that was made by the key before counts while that key is there, and no longer', async () => {
    const { grantId } = await granted();
    const token = await newToken(grantId, storeWith('old'));
    expect(await find(token, storeWith('new', 'old'))).toBeDefined();
    expect(await find(token, storeWith('new'))).toBeUndefined();
    const next = await newToken(grantId, storeWith('new', 'old'));
    expect(await find(next, storeWith('new'))).toBeDefined();
  });

  test('cannot be made without a key', () => {
    expect(() => storeWith()).toThrow('without a key');
  });

  test('keeps its grant for as long as it lasts itself', async () => {
    const { grantId } = await granted();
    const token = await newToken(grantId, usual(), inSeconds(7_200));
    opened.pass(7_000_000);
    expect(await find(token)).toBeDefined();
    opened.pass(300_000);
    expect(await find(token)).toBeUndefined();
    expect(await request(() => usual().findGrant(grantId))).toBeUndefined();
  });

  test.each([
    ['of another grant', async (token: string) => [(await granted()).grantId, ...token.split('~').slice(3)].join('~')],
    ['with more behind it', async (token: string) => `${token}~x`],
    ['with a shorter MAC', async (token: string) => token.slice(0, -1)],
    ['that is nothing', async () => ''],
    ['that is very long', async (token: string) => token.repeat(2_000)],
  ])('%s is none', async (_, forge) => {
    const { grantId } = await granted();
    const token = await newToken(grantId);
    const forged = await forge(token);
    expect([await find(forged), await follow(forged)]).toEqual([undefined, false]);
    expect([await find(token), await follow(token)]).toEqual([expect.anything(), true]);
  });
});

describe('a grant', () => {
  test('that two requests change at once has both changes', async () => {
    const { grantId, code } = await granted();
    const token = await newToken(grantId);
    await Promise.all([
      request(() => usual().saveGrant(grantId, { clientId: 'changed', exp: inSeconds(3_600) })),
      follow(token),
      request(() => usual().useCode(code)),
    ]);
    expect(await request(() => usual().findGrant(grantId))).toMatchObject({ clientId: 'changed' });
    expect(await request(() => usual().findCode(code))).toHaveProperty('consumed');
    opened.pass(graceMs + 1);
    expect(await find(token)).toHaveProperty('consumed');
  });

  test('that is removed takes everything with it, and a refresh that is on its way does not bring it back', async () => {
    const { grantId, code } = await granted();
    const token = await newToken(grantId);
    let given = '';
    const late = request(async () => {
      expect(await usual().followRefreshToken(token)).toBe(true);
      // A thief's token was found out in the meantime, say.
      await request(() => usual().removeGrant(grantId));
      await usual().saveRefreshToken('inside', { grantId, exp: inSeconds(3_600) });
      given = requestScope().nameOutside('inside');
    });
    await expect(late).rejects.toMatchObject(refused);
    for (const one of [token, given]) expect([await find(one), await follow(one)]).toEqual([undefined, false]);
    expect(await request(() => usual().findCode(code))).toBeUndefined();
    expect(await request(() => usual().findGrant(grantId))).toBeUndefined();
  });
});
