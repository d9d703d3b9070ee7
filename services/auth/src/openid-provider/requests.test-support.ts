// The provider's records on a real store, by a clock of the test's own, and requests that read and write them.
import { randomUUID } from 'node:crypto';
import { newEventId, serviceCause } from '@reeve/contracts';
import { openStore, type PlatformDefinition } from '@reeve/store';
import { engines } from '@reeve/testing';
import { inRequestScope, requestScope } from './request-scope.ts';

export async function openRecords<R>(definition: PlatformDefinition<R>) {
  let now = Date.parse('2026-11-25T12:00:00.000Z');
  const clock = { now: () => new Date(now), newEventId };
  const store = openStore({
    uri: engines().mongodb,
    database: `records_${randomUUID().slice(0, 8)}`,
    source: '/test',
    contents: { platformRecords: [definition] },
    clock,
  });
  await store.prepare();
  return {
    clock,
    records: store.platformRecords(definition),
    pass(ms: number) {
      now += ms;
    },
    /** In seconds since the epoch, as tokens have it. */
    inSeconds: (seconds: number) => Math.floor(now / 1_000) + seconds,
    close: () => store.close(),
  };
}

/** What is done in one request to the provider. */
export const request = <T>(work: () => Promise<T>): Promise<T> =>
  inRequestScope(serviceCause('auth', { correlationId: newEventId() }), async () => {
    const result = await work();
    await requestScope().flush();
    return result;
  });
