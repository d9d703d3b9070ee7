import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import { type Artifact, artifactAdapter, artifacts } from './artifacts.ts';
import { openRecords, request } from './requests.test-support.ts';

let opened: Awaited<ReturnType<typeof openRecords<Artifact>>>;

beforeAll(async () => {
  opened = await openRecords(artifacts);
});
afterAll(() => opened.close());

const adapter = (model = 'AccessToken') => artifactAdapter({ ...opened, model });
const save = (id: string, payload: AdapterPayload, model = 'AccessToken') =>
  request(async () => adapter(model).upsert(id, { ...payload, exp: opened.inSeconds(60) }, 60));

test('what is kept is found by its value until it expires', async () => {
  await save('a', { scope: 'openid' });
  expect(await adapter().find('a')).toMatchObject({ scope: 'openid' });
  opened.pass(59_000);
  expect(await adapter().find('a')).toBeDefined();
  opened.pass(1_000);
  expect(await adapter().find('a')).toBeUndefined();
});

test('the same value of another model is another thing', async () => {
  await save('b', { kind: 'a token' });
  expect(await adapter('PushedAuthorizationRequest').find('b')).toBeUndefined();
  await save('b', { kind: 'a request' }, 'PushedAuthorizationRequest');
  await adapter('PushedAuthorizationRequest').destroy('b');
  expect(await adapter().find('b')).toMatchObject({ kind: 'a token' });
});

test('a value is not kept as it is, so that a copy of the store opens nothing', async () => {
  await save('a-value-that-opens', { scope: 'openid' });
  expect(await opened.records.get('a-value-that-opens')).toBeNull();
  expect(await adapter().find('a-value-that-opens')).toBeDefined();
});

test('what was used is found as used, and lasts no longer for it', async () => {
  const { find, consume } = adapter();
  await save('c', { scope: 'openid' });
  await consume('c');
  expect(await find('c')).toMatchObject({ scope: 'openid', consumed: opened.inSeconds(0) });
  opened.pass(61_000);
  expect(await find('c')).toBeUndefined();
  await consume('never there');
  expect(await find('never there')).toBeUndefined();
});

test('the end of a grant takes what belongs to it, and nothing else', async () => {
  await save('of it', { grantId: 'one' });
  await save('of another', { grantId: 'other' });
  await save('of none', {});
  await adapter().revokeByGrantId('one');
  expect(await adapter().find('of it')).toBeUndefined();
  for (const id of ['of another', 'of none']) expect(await adapter().find(id)).toBeDefined();
});
