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
