// A key whose first try has ended without an answer, and who may take it over.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newEventId, newId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { createIdempotency, type Idempotency, idempotencyKeys } from './idempotency.ts';

const uri = process.env['REEVE_TEST_MONGODB'];
if (uri === undefined) throw new Error('there is no store: use `npm test`, which starts one');
let store: Store;
let idempotency: Idempotency;
let tenantId: TenantId;
let laterMs: number;

beforeAll(async () => {
  store = openStore({
    uri,
    database: `idempotency_${newId('request').slice(-8)}`,
    source: '/test',
    contents: { collections: [idempotencyKeys] },
    clock: { now: () => new Date(Date.now() + laterMs), newEventId },
  });
  laterMs = 0;
  await store.prepare();
  idempotency = createIdempotency(store);
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  laterMs = 0;
});

const answer = { status: 201, body: { made: true } };
const cause = serviceCause('test', { correlationId: 'c' });
const once = (work: () => Promise<unknown>) =>
  idempotency.once({ tenantId, scope: 'client c POST /things', key: 'k', request: '{}', cause }, async () => {
    await work();
    return { answer, kept: answer };
  });
const refusal = (error: unknown) => (error instanceof ProblemError ? error.code : Promise.reject(error));

/** What came of ten who ask at the same time: how often it was done, and what the others were told. */
async function ten() {
  let done = 0;
  const asking = () =>
    once(async () => {
      done += 1;
      await new Promise(resolve => setTimeout(resolve, 100));
    }).catch(refusal);
  const told = await Promise.all(Array.from({ length: 10 }, asking));
  return { done, refused: told.filter(one => one === 'request_in_progress').length };
}

describe('a key whose first try', () => {
  test('failed is taken over by one of ten who ask at once; the others wait', async () => {
    await expect(once(() => Promise.reject(new Error('the process is gone')))).rejects.toThrow('gone');
    expect(await ten()).toEqual({ done: 1, refused: 9 });
    expect(await once(() => Promise.reject(new Error('done twice')))).toEqual(answer);
  });

  test('does not end is kept for it half a minute, and then taken over by one of ten who ask at once', async () => {
    await new Promise<void>(resolve => {
      void once(() => {
        resolve();
        return new Promise(() => undefined);
      });
    });
    laterMs = 29_000;
    expect(await ten()).toEqual({ done: 0, refused: 10 });
    laterMs = 31_000;
    expect(await ten()).toEqual({ done: 1, refused: 9 });
  });
});
