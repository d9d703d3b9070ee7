// What may be used once, on a real store and by a clock of the test's own.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { replayDetectionAdapter, usedOnce } from './replay-detection.ts';
import { openRecords } from './requests.test-support.ts';

let opened: Awaited<ReturnType<typeof openRecords<{ by: string }>>>;
beforeAll(async () => {
  opened = await openRecords(usedOnce);
});
afterAll(() => opened.close());

const adapter = () => replayDetectionAdapter(opened);
const isUsed = async (id: string) => (await adapter().find(id)) !== undefined;

test('is taken by one of twenty who look at once', async () => {
  const id = randomUUID();
  const found = await Promise.all(Array.from({ length: 20 }, () => isUsed(id)));
  expect(found.filter(was => !was)).toHaveLength(1);
});

test('is remembered for longer than a proof is good, however far its time is from ours', async () => {
  const id = randomUUID();
  expect(await isUsed(id)).toBe(false);
  // As the library has it: five minutes from now, of one whose time may be five minutes ahead.
  await adapter().upsert(id, {}, 300);
  opened.pass(599_000);
  expect(await isUsed(id)).toBe(true);
  opened.pass(2_000);
  expect(await isUsed(id)).toBe(false);
});
