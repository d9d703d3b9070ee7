import { expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { recordReading } from './record-reading.ts';

test('a reading that could not be recorded is refused, and so recorded when it is tried again', async () => {
  let recorded = 0;
  let fails = true;
  const recordFact = () => {
    if (fails) return Promise.reject(new Error('the store is away'));
    recorded += 1;
    return Promise.resolve();
  };
  const route = { path: '/v1/tenants/{tenantId}/audit/feed', handle: () => Promise.resolve({ body: 'read' }) };
  const { handle } = recordReading(recordFact as never, { everyMs: 60_000 })(route as unknown as Route);
  const asked = { tenantId: newId('tenant'), caller: { type: 'client', id: 'c' }, params: {}, query: {} };
  const read = () => handle(asked as unknown as Parameters<Route['handle']>[0]);
  await expect(read()).rejects.toThrow('the store is away');
  fails = false;
  expect([await read(), await read(), recorded]).toEqual([{ body: 'read' }, { body: 'read' }, 1]);
});

test('pages of a search are part of the first, and recorded where no first one was', async () => {
  const recorded: string[] = [];
  const recordFact = async (_: unknown, __: unknown, cause: string) => void recorded.push(cause);
  const route = { path: '/v1/tenants/{tenantId}/audit/events', handle: async () => ({ body: 'read' }) };
  const { handle } = recordReading(recordFact as never)(route as unknown as Route);
  const tenantId = newId('tenant');
  const read = (id: string, query: object) =>
    handle({ tenantId, caller: { type: 'client', id }, params: {}, query, cause: id } as never);
  await read('first', { text: 'x' });
  for (const cursor of ['1', '2']) await read('first', { text: 'x', cursor });
  expect(recorded).toEqual(['first']);
  // Somebody else, by the cursor that the first was given; the first, in what they have not searched for.
  for (const cursor of ['1', '2']) await read('other', { text: 'x', cursor });
  await read('first', { text: 'y', cursor: '1' });
  expect(recorded).toEqual(['first', 'other', 'first']);
  await read('first', { text: 'x' });
  expect(recorded).toHaveLength(4);
});
