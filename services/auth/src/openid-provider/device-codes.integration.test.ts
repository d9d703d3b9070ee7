// Codes of devices on a real store and by a clock of the test's own.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type DeviceCode, deviceCodeAdapter, deviceCodes } from './device-codes.ts';
import { openRecords, request } from './requests.test-support.ts';

let opened: Awaited<ReturnType<typeof openRecords<DeviceCode>>>;
beforeAll(async () => {
  opened = await openRecords(deviceCodes);
});
afterAll(() => opened.close());

const adapter = () => deviceCodeAdapter(opened);

test('one that has expired is known as that for ten minutes more, and neither kept as it is nor for longer', async () => {
  const [id, userCode] = [randomUUID(), randomUUID()];
  const exp = opened.inSeconds(600);
  await request(async () => adapter().upsert?.(id, { jti: id, userCode, exp, clientId: 'x' } as never, 600));
  const found = await adapter().find?.(id);
  expect(found).toMatchObject({ jti: id, clientId: 'x', exp });
  const { jti } = (await adapter().findByUserCode?.(userCode)) ?? {};
  expect([await adapter().find?.(String(jti)), jti]).toEqual([{ ...found, jti }, expect.stringMatching(/^by-hash:/)]);
  await expect(adapter().consume?.(String(jti))).rejects.toThrow('invalid_grant');
  opened.pass(1_199_000);
  expect(await adapter().find?.(id)).toMatchObject({ exp });
  opened.pass(2_000);
  expect(await adapter().find?.(id)).toBeUndefined();
});

test('one that two use at once is used by one, and counts as used when all that came of it is written', async () => {
  const id = randomUUID();
  const payload = { jti: id, userCode: randomUUID(), exp: opened.inSeconds(600), clientId: 'x' } as never;
  await request(async () => adapter().upsert?.(id, payload, 600));
  const both = await Promise.allSettled(
    [1, 2].map(() =>
      request(async () => {
        await adapter().consume?.(id);
        expect(await adapter().find?.(id)).not.toHaveProperty('consumed');
      }),
    ),
  );
  expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(await adapter().find?.(id)).toHaveProperty('consumed');
});
