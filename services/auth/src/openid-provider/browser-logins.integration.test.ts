import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import { type BrowserLogin, browserLoginAdapter, browserLogins } from './browser-logins.ts';
import { openRecords, request } from './requests.test-support.ts';

let opened: Awaited<ReturnType<typeof openRecords<BrowserLogin>>>;

beforeAll(async () => {
  opened = await openRecords(browserLogins);
});
afterAll(() => opened.close());

const adapter = () => browserLoginAdapter(opened);
const save = (cookie: string, payload: AdapterPayload) => request(async () => adapter().upsert(cookie, payload, 60));
const find = (cookie: string) => request(async () => adapter().find(cookie));
const findByUid = (uid: string) => request(async () => adapter().findByUid(uid));

test('a login is found by its cookie and by its uid until it expires', async () => {
  await save('a cookie', { uid: 'u1', accountId: 'ada' });
  expect([await find('a cookie'), await findByUid('u1')]).toMatchObject([{ accountId: 'ada' }, { accountId: 'ada' }]);
  expect([await find('u1'), await findByUid('a cookie')]).toEqual([undefined, undefined]);
  opened.pass(60_000);
  expect([await find('a cookie'), await findByUid('u1')]).toEqual([undefined, undefined]);
});

test('a cookie is not kept as it is, so that a copy of the store signs nobody in', async () => {
  await save('a-cookie-that-opens', { uid: 'u2' });
  expect(await opened.records.get('a-cookie-that-opens')).toBeNull();
  expect(JSON.stringify(await opened.records.findBy('uid', 'u2'))).not.toContain('a-cookie-that-opens');
  expect(await find('a-cookie-that-opens')).toBeDefined();
});

test('what a request has changed of a login is what it reads from then on, and what is there after it', async () => {
  await save('changing', { uid: 'u3', accountId: 'ada' });
  await request(async () => {
    await adapter().upsert('changing', { uid: 'u3', accountId: 'eve' }, 60);
    expect([await adapter().find('changing'), await adapter().findByUid('u3')]).toMatchObject([
      { accountId: 'eve' },
      { accountId: 'eve' },
    ]);
    expect(JSON.stringify(await opened.records.findBy('uid', 'u3'))).toContain('ada');
  });
  expect(await find('changing')).toMatchObject({ accountId: 'eve' });
  await request(async () => {
    await adapter().destroy('changing');
    expect(await adapter().find('changing')).toBeUndefined();
  });
  expect([await find('changing'), await findByUid('u3')]).toEqual([undefined, undefined]);
});

test('a login without a uid is a mistake of the provider, and is not kept under an empty one', async () => {
  await expect(save('stray', {})).rejects.toThrow('uid');
  expect(await findByUid('')).toBeUndefined();
});
