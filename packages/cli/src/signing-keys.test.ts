import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startService } from './service.test-support.ts';

const items = [
  { keyId: 'b', use: 'access_token', algorithm: 'ES256', stage: 'signing', activeFrom: 'then', until: null },
  { keyId: 'c', use: 'access_token', algorithm: 'ES256', stage: 'next', activeFrom: 'soon', until: null },
  { keyId: 'a', use: 'id_token', algorithm: 'RS256', stage: 'verifying', activeFrom: 'before', until: 'tomorrow' },
];

let service: Awaited<ReturnType<typeof startService>>;
let status: number;

beforeAll(async () => {
  const answers = () => (status === 200 ? { items } : { code: 'signing_key_waiting', detail: 'A key is to follow' });
  service = await startService(() => ({ status, body: answers() }), { named: [] });
});
afterAll(() => service.stop());
beforeEach(() => {
  status = 200;
});

const reeve = (...args: string[]) => service.run('signing-keys', ...args);
const asked = () => service.asked().map(({ method, url, body }) => ({ method, url, body }));

test('keys are listed by stage', async () => {
  const { code, out } = await reeve('list');
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [
      'access_token  ES256  signing    b',
      'access_token  ES256  next       c  signs from soon',
      'id_token      RS256  verifying  a  shown until tomorrow',
    ],
  ]);
  expect(JSON.parse((await reeve('list', '--json')).out)).toEqual({ items });
});

test.each([
  [['rotate', 'access_token'], { use: 'access_token', leadSeconds: 600, compromised: false }],
  [['rotate', 'id_token', '--lead-seconds', '60'], { use: 'id_token', leadSeconds: 60, compromised: false }],
  [['rotate', 'access_token', '--compromised'], { use: 'access_token', leadSeconds: 600, compromised: true }],
])('%j asks for %j', async (args, body) => {
  expect((await reeve(...args)).code).toBe(0);
  expect(asked()).toEqual([{ method: 'POST', url: '/v1/signing-keys:rotate', body }]);
});

test('the key of checkpoints is that of audit', async () => {
  expect((await reeve('rotate', 'checkpoints', '--audit', service.origin)).code).toBe(0);
  const body = { leadSeconds: 600, compromised: false };
  expect(asked()).toEqual([{ method: 'POST', url: '/v1/audit-signing-keys:rotate', body }]);
  expect((await reeve('list', '--audit', service.origin)).code).toBe(0);
  expect(asked().map(({ url }) => url)).toEqual(['/v1/signing-keys', '/v1/audit-signing-keys']);
});

test.each([
  [['rotate', 'checkpoints'], '--audit (REEVE_AUDIT_URL) is needed'],
  [['rotate'], 'missing required argument'],
  [['rotate', 'other'], 'Allowed choices are access_token, id_token, checkpoints'],
  [['rotate', 'id_token', '--lead-seconds', 'soon'], 'It has to be a whole number'],
  [['rotate', 'id_token', '--lead-seconds', '1', '--compromised'], 'cannot be used with'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await reeve(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(asked()).toEqual([]);
});

test('what auth refuses is said, and ends with 2', async () => {
  status = 409;
  expect(await reeve('rotate', 'id_token')).toMatchObject({
    code: 2,
    err: expect.stringContaining('signing_key_waiting'),
  });
});
