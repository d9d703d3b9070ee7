// Searches over a log in which some values are in nearly every record and others in few: whatever filters combine,
// MongoDB examines what it returns, and what is found is what a reading of all records finds.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { emptyContext, newId, type TenantId } from '@reeve/contracts';
import type { StoreOptions } from '@reeve/store';
import { wastefulAmong } from '@reeve/testing';
import { growLog, openTestLog, type TestLog } from '../audit.test-support.ts';
import { type Filters, findRecords } from './find-records.ts';
import type { StoredRecord } from './record.ts';

type Command = Parameters<NonNullable<StoreOptions['onCommand']>>[0];

const began = Date.parse('2026-11-01T00:00:00.000Z');
const at = (n: number) => new Date(began + n * 1_000).toISOString();
const commands: Command[] = [];
const all: StoredRecord[] = [];
let opened: TestLog;
let tenantId: TenantId;

/** The first is that of most records, the last that of very few. */
const skewed = (n: number, prefix: string) => `${prefix}_${n % 100 === 0 ? 'rare' : n % 7 === 0 ? 'some' : 'most'}`;

beforeAll(async () => {
  opened = await openTestLog({ onCommand: command => commands.push(command) });
  tenantId = newId('tenant');
  for (const tenant of [tenantId, newId('tenant')])
    await growLog(opened.log, {
      tenantId: tenant,
      chain: 'reeve.auth.v1/0',
      from: 0,
      count: 2_500,
      changes: n => ({
        time: at(n),
        type: `thing.${skewed(n + 1, 'kind')}`,
        outcome: n % 9 === 0 ? 'denied' : 'success',
        actor: { type: 'user', id: skewed(n, 'usr'), name: `Alice ${skewed(n + 2, 'word')}`, via: 'session' },
        target: { type: 'session', id: skewed(n + 3, 'ses'), name: null },
        correlationId: `c${n % 500}`,
        context: { ...emptyContext, ip: skewed(n + 4, '192'), sessionId: `s${n % 300}` },
        details: {},
      }),
    });
  for await (const { state } of opened.log.records.in(tenantId).all('byTime', {})) all.push(state);
}, 60_000);
afterAll(() => opened.store.close());

const values: Record<string, Filters[]> = {
  type: [{ type: 'thing.kind_rare' }, { type: 'thing.kind_most' }],
  actor: [{ actor: 'usr_rare' }, { actor: 'usr_most' }],
  target: [{ target: 'ses_some' }],
  outcome: [{ outcome: 'denied' }],
  ip: [{ ip: '192_most' }],
  session: [{ session: 's7' }],
  correlation: [{ correlation: 'c7' }],
  about: [{ about: 'usr_some' }],
  text: [{ text: 'word_rare' }, { text: 'Alice word_most' }],
  from: [{ from: at(400) }],
  to: [{ to: at(1_900) }],
};

function* combinations(names: readonly string[]): Generator<Filters> {
  const [name, ...rest] = names;
  if (name === undefined) {
    yield {};
    return;
  }
  for (const others of combinations(rest)) {
    yield others;
    for (const value of values[name] ?? []) yield { ...others, ...value };
  }
}

function matches(record: StoredRecord, { type, actor, target, outcome, ip, session, correlation, ...rest }: Filters) {
  const is = <T>(wanted: T | undefined, value: T) => wanted === undefined || wanted === value;
  const words = rest.text?.toLowerCase().split(' ') ?? [];
  return (
    is(type, record.type) &&
    is(actor, record.actorId ?? '') &&
    is(target, record.targetId ?? '') &&
    is(outcome, record.outcome) &&
    is(ip, record.ip ?? '') &&
    is(session, record.sessionId ?? '') &&
    is(correlation, record.correlationId) &&
    (rest.about === undefined || record.about.includes(rest.about)) &&
    words.every(word => record.words.includes(word)) &&
    (rest.from === undefined || record.time >= rest.from) &&
    (rest.to === undefined || record.time <= rest.to)
  );
}

test('a search finds what a reading of all records finds, page by page', async () => {
  for (const filters of combinations(Object.keys(values))) {
    if (Math.random() > 0.03) continue;
    const wanted = all.filter(record => matches(record, filters)).map(({ sequence }) => sequence);
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await findRecords(opened.log.records, tenantId, { filters, limit: 200, cursor });
      found.push(...page.items.map(({ state }) => state.sequence));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined && found.length < 1_000);
    expect([filters, found]).toEqual([filters, wanted.slice(0, found.length)]);
    if (cursor === undefined) expect(found.length).toBe(wanted.length);
  }
}, 120_000);

test('no search examines more documents than it returns, whatever filters combine', async () => {
  commands.length = 0;
  for (const filters of combinations(Object.keys(values))) {
    if (Object.keys(filters).length > 3) continue;
    const { nextCursor } = await findRecords(opened.log.records, tenantId, { filters, limit: 10 });
    if (nextCursor) await findRecords(opened.log.records, tenantId, { filters, limit: 10, cursor: nextCursor });
  }
  const asked = commands.filter(({ commandName }) => commandName === 'find');
  expect(asked.length).toBeGreaterThan(500);
  const wasteful = await wastefulAmong(opened.database, asked);
  // The last of the page before is looked at once more.
  expect(wasteful.filter(({ examined, returned }) => examined > returned + 1)).toEqual([]);
}, 120_000);
