// The log verified where it lies, and exported: what somebody changed in the store is named.
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type FormatName, formats, type Verification, verifyLines } from '@reeve/audit-log';
import { emptyContext, newId, type TenantId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { callRoute, giveWay, growLog, openTestLog, type TestLog } from '../audit.test-support.ts';
import { fewAtOnce } from '../few-at-once.ts';
import { createCheckpointer } from '../log/checkpointer.ts';
import { exportEvents } from './export-events.ts';
import { verifyLog } from './verify-log.ts';

const chain = 'reeve.auth.v1/0';
let opened: TestLog;
let tenantId: TenantId;
const recorded: string[] = [];

beforeAll(async () => {
  opened = await openTestLog();
});
afterAll(() => opened.store.close());
beforeEach(async () => {
  tenantId = newId('tenant');
  await growLog(opened.log, { tenantId, chain, from: 0, count: 40 });
});

const checkpointer = () => createCheckpointer({ ...opened.log, intervalMs: 60_000, giveWay, onError: () => undefined });
const routeWith = ({ onTurn = giveWay }: { onTurn?: typeof giveWay } = {}) => {
  const keys = { published: () => Promise.resolve(opened.keys) };
  return verifyLog({ ...opened.log, checkpointer: checkpointer(), keys, giveWay: onTurn });
};
const verify = (parts: Parameters<typeof routeWith>[0] = {}) => callRoute<Verification>(routeWith(parts), { tenantId });

async function recordAt(sequence: number) {
  const found = await opened.log.records.in(tenantId).getByUnique('place', `${chain}#${sequence}`);
  if (!found) throw new Error('there is no such record');
  return found;
}

async function exported(query: { format?: FormatName; checkpoint?: number; after?: object } = {}) {
  const recordFact = async (_: TenantId, events: unknown) => void recorded.push(JSON.stringify(events));
  const route: Route = exportEvents({ ...opened.log, checkpointer: checkpointer(), recordFact });
  const actor = { type: 'service', id: 'test', name: null, via: 'system' } as const;
  const asked = {
    tenantId,
    query: { format: 'ndjson', ...query },
    params: {},
    cause: { actor, context: emptyContext },
  };
  const reply = await route.handle(asked as unknown as Parameters<Route['handle']>[0]);
  if (!('stream' in reply)) throw new Error('it does not stream');
  const response = Object.assign(new PassThrough(), { type: () => undefined, setHeader: () => undefined });
  const sent = reply.stream(response as never);
  const text = (await response.toArray()).join('');
  await sent;
  return text.split('\n').filter(line => line !== '');
}

async function* asLines(lines: readonly string[]) {
  yield* lines;
}

describe('the verification', () => {
  test('finds nothing wrong with a log that nobody touched', async () => {
    expect(await verify()).toMatchObject({ finding: null, records: 40, chains: [{ chain, first: 1, last: 40 }] });
  });

  test('names the record that was changed', async () => {
    const { id, state } = await recordAt(17);
    await opened.log.records.in(tenantId).put(id, { ...state, canonical: state.canonical.replace('"usr"', '"eve"') });
    expect((await verify()).finding).toMatchObject({ chain, sequence: 17 });
  });

  test('names the record that was changed and hashed again', async () => {
    const { id, state } = await recordAt(17);
    const other = await recordAt(18);
    await opened.log.records.in(tenantId).put(id, { ...state, hash: other.state.hash });
    expect((await verify()).finding).toMatchObject({ chain, sequence: 17 });
  });

  test('does not pass over a record that is missing', async () => {
    await verify();
    const { id } = await recordAt(17);
    await opened.log.records.in(tenantId).remove(id);
    await expect(verify()).rejects.toThrow(`record 17 of ${chain} is missing`);
  });
});

describe('the verification of a log that takes long', () => {
  beforeEach(() => growLog(opened.log, { tenantId, chain, from: 40, count: 1_000 }));

  test('is done in portions, between which requests come first', async () => {
    let portions = 0;
    expect(await verify({ onTurn: async () => void (portions += 1) })).toMatchObject({ finding: null, records: 1_040 });
    expect(portions).toBeGreaterThan(1);
  });

  test('ends when whoever asked has gone, and makes room for another', async () => {
    const caller = new AbortController();
    const limited = fewAtOnce({ takesLong: () => undefined })({ ofOneTenant: 1, inAll: 1 });
    const route = limited(routeWith({ onTurn: async () => caller.abort() }));
    const abandoned = callRoute(route, { tenantId, signal: caller.signal });
    await expect(callRoute(route, { tenantId })).rejects.toMatchObject({ code: 'rate_limited' });
    await expect(abandoned).rejects.toMatchObject({ name: 'AbortError' });
    expect(await callRoute(route, { tenantId })).toMatchObject({ finding: null, records: 1_040 });
  });
});

describe('an export', () => {
  test.each(Object.keys(formats) as FormatName[])('in %s is verified by whoever holds the keys', async format => {
    const lines = await exported({ format });
    const verified = await verifyLines(asLines(lines), { format: formats[format], keys: opened.keys });
    expect(verified).toMatchObject({ finding: null, records: 40 });
    const cut = await verifyLines(asLines(lines.slice(0, -1)), { format: formats[format], keys: opened.keys });
    expect(cut.finding).not.toBe(null);
  });

  test('that was cut off goes on after the last record that somebody has', async () => {
    const whole = await exported();
    const rest = await exported({ checkpoint: 1, after: { chain, sequence: 25 } });
    expect(rest).toEqual(whole.slice(-15));
    await expect(exported({ checkpoint: 1, after: { chain, sequence: 41 } })).rejects.toMatchObject({
      errors: [{ field: 'query.after', message: 'is no record of this export' }],
    });
    await expect(exported({ after: { chain, sequence: 25 } })).rejects.toMatchObject({
      errors: [{ field: 'query.checkpoint' }],
    });
  });

  test('is on the record', async () => {
    recorded.length = 0;
    await exported({ format: 'csv' });
    expect(recorded).toEqual([expect.stringContaining('"audit.exported"')]);
  });
});
