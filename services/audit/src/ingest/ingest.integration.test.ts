// What a batch of a topic becomes: records, in as few operations as possible, and their publication.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { ChainedRecord } from '@reeve/audit-log';
import { emptyContext, type Message, newEventId, newId, platformTenantId, type TenantId } from '@reeve/contracts';
import type { Received, SetAside } from '@reeve/event-bus';
import { giveWay, openTestLog, type TestLog } from '../audit.test-support.ts';
import { createChainWriter } from '../log/chain-writer.ts';
import { loadHeads } from '../log/head.ts';
import { fromStored } from '../log/record.ts';
import { ingest } from './ingest.ts';

const topic = 'reeve.auth.v1';
const chain = `${topic}/0`;
let opened: TestLog;
let commands: string[] = [];
let published: Message[] = [];
let examined: ChainedRecord[] = [];
let tenantId: TenantId;
let offset = 0;

beforeAll(async () => {
  opened = await openTestLog({
    onCommand: ({ commandName, command }) => {
      const collection = String(command[commandName]);
      if (/^audit_(records|heads)$/.test(collection) && !JSON.stringify(command).includes('outboxAt'))
        commands.push(`${commandName} ${collection}`);
    },
  });
});
afterAll(() => opened.store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  published = [];
  examined = [];
});

function start() {
  const { handleBatch, handleSetAside } = ingest({
    writer: createChainWriter(opened.log),
    signingKey: () => opened.key,
    publish: async messages => void published.push(...messages),
    examine: async chained => void examined.push(...chained),
    giveWay,
  });
  if (!handleSetAside) throw new Error('it does not hear of what is set aside');
  return { handleBatch, handleSetAside };
}

function received(of: TenantId = tenantId, changes: Partial<Received> = {}): Received {
  offset += 1;
  return {
    id: newEventId(),
    source: '/reeve/auth',
    type: 'session.created',
    subject: 'session/1',
    time: new Date().toISOString(),
    tenantId: of,
    correlationId: 'c',
    contentType: 'application/json',
    data: {
      actor: { type: 'user', id: 'usr', name: null, via: 'session' },
      target: { type: 'session', id: 'ses', name: null },
      outcome: 'success',
      reason: { code: 'signed_in', rule: null, basis: null },
      context: emptyContext,
      details: { userId: 'usr' },
    },
    topic,
    partition: 0,
    offset: String(offset),
    ...changes,
  };
}

async function recordsOf(of: TenantId) {
  const found: ChainedRecord[] = [];
  for await (const { state } of opened.log.records.in(of).all('byChain', { chain })) found.push(fromStored(state));
  return found.map(({ record }) => record);
}

describe('a batch', () => {
  test('of many events of many tenants is one insert and one write of heads, and is published and looked at', async () => {
    const { handleBatch } = start();
    const tenants = Array.from({ length: 8 }, () => newId('tenant'));
    const batch = () => ({ topic, partition: 0, events: tenants.flatMap(one => [received(one), received(one)]) });
    await handleBatch(batch());
    commands = [];
    const events = batch();
    await handleBatch(events);
    expect(commands).toEqual(['insert audit_records', 'update audit_heads']);
    expect(published.slice(-16).map(({ event }) => event.id)).toEqual(events.events.map(({ id }) => id));
    expect(examined.slice(-16).map(({ record }) => record.eventId)).toEqual(events.events.map(({ id }) => id));
    for (const one of tenants) expect((await recordsOf(one)).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4]);
  });

  test('of tenants that were not seen before asks for their heads at once', async () => {
    const { handleBatch } = start();
    const events = Array.from({ length: 30 }, () => received(newId('tenant')));
    commands = [];
    await handleBatch({ topic, partition: 0, events });
    expect(commands).toEqual(['find audit_heads', 'find audit_records', 'insert audit_records', 'update audit_heads']);
  });

  test('that comes again is published again, and adds nothing', async () => {
    const events = [received(), received(), received()];
    await start().handleBatch({ topic, partition: 0, events });
    await start().handleBatch({ topic, partition: 0, events });
    expect(published.map(({ event }) => event.id)).toEqual([...events, ...events].map(({ id }) => id));
    expect(await recordsOf(tenantId)).toHaveLength(3);
  });

  test('with an event that has no place in a log is refused, and says what is wrong with it', async () => {
    const refused = (changes: Partial<Received>) =>
      expect(start().handleBatch({ topic, partition: 0, events: [received(tenantId, changes)] })).rejects;
    await refused({ data: { actor: null } }).toMatchObject({ code: 'head_invalid' });
    await refused({ time: 'yesterday' }).toMatchObject({ code: 'attribute_invalid' });
    await start().handleBatch({ topic, partition: 0, events: [received()] });
    expect(await recordsOf(tenantId)).toHaveLength(1);
  });
});

describe('a message that was set aside', () => {
  const letter = (headers: Record<string, string>): SetAside => {
    offset += 1;
    const at = { topic, partition: 0, offset: String(offset), timestamp: String(Date.now()) };
    return { ...at, headers, code: 'data_invalid', reason: 'the value is not JSON' };
  };

  test('has a record in its place, once however often it comes', async () => {
    const { handleBatch, handleSetAside } = start();
    await handleBatch({ topic, partition: 0, events: [received()] });
    const poison = letter({ ce_tenantid: tenantId, ce_id: 'e', ce_type: 'session.created' });
    await handleSetAside(poison);
    await handleSetAside(poison);
    await handleBatch({ topic, partition: 0, events: [received()] });
    const records = await recordsOf(tenantId);
    expect(records.map(({ sequence, type }) => [sequence, type])).toEqual([
      [1, 'session.created'],
      [2, 'audit.dead_lettered'],
      [3, 'session.created'],
    ]);
    expect(records[1]).toMatchObject({
      outcome: 'failure',
      reason: { code: 'data_invalid' },
      target: { id: 'e', name: 'session.created' },
      details: { offset: poison.offset, deadLetters: `${topic}.audit.chain.dlq` },
    });
    const heads = await loadHeads(opened.log, chain, [tenantId]);
    expect(heads.get(tenantId)).toMatchObject({ sequence: 3 });
  });

  test('that names no tenant of ours is in the log of the platform', async () => {
    const poison = letter({ ce_tenantid: 'nobody', ce_id: 'x'.repeat(5_000) });
    await start().handleSetAside(poison);
    const found = (await recordsOf(platformTenantId)).find(({ details }) => details['offset'] === poison.offset);
    expect(found?.target.id).toHaveLength(200);
  });
});
