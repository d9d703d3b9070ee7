// Three instances of audit while events stream in: one is killed, and another stands still for longer than its broker
// waits for it, so that it believes it owns partitions that are somebody else's by then.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { formats, type KeySet, verifyLines } from '@reeve/audit-log';
import { emptyContext, type Message, newEventId, newId, type TenantId } from '@reeve/contracts';
import { createEventBus, type EventBus } from '@reeve/event-bus';
import { eventually } from '@reeve/testing/eventually';
import { type AuditEvent, asLines, recordsIn } from '../support/audit.ts';
import { type AuditInstances, startAuditInstances } from '../support/audit-instances.ts';

const minutes = 60_000;
const streamsForMs = 45_000;
const perTurn = 6;
const turnMs = 40;
/** The broker gives up a member after ten. */
const standsStillMs = 12_000;

let own: AuditInstances;
let bus: EventBus;
const tenants = Array.from({ length: 12 }, () => newId('tenant'));
const published = new Map<TenantId, string[]>(tenants.map(tenantId => [tenantId, []]));

beforeAll(async () => {
  own = await startAuditInstances(3);
  bus = createEventBus({ brokers: [own.kafka], clientId: 'chaos' });
}, 3 * minutes);
afterAll(async () => {
  await bus.stop();
  await own.stop();
}, minutes);

function message(topic: string, type: string, tenantId: TenantId, details: object): Message {
  const id = newEventId();
  return {
    topic,
    key: tenantId,
    event: {
      id,
      source: '/reeve/chaos',
      type,
      subject: 'chaos/1',
      time: new Date().toISOString(),
      tenantId,
      correlationId: id,
      contentType: 'application/json',
      data: {
        actor: { type: 'service', id: 'chaos', name: null, via: 'system' },
        target: { type: 'tenant', id: tenantId, name: null },
        outcome: 'success',
        reason: { code: 'requested', rule: null, basis: null },
        context: emptyContext,
        details,
      },
    },
  };
}

const topics = ['reeve.auth.v1', 'reeve.directory.v1', 'reeve.activity.v1'];

/** What is on the broker is promised: once each, and of one topic and tenant in this order. */
async function publish(messages: readonly Message[]): Promise<void> {
  await bus.publish(messages, { before: Date.now() + minutes });
  for (const { event } of messages) published.get(event.tenantId)?.push(event.id);
}

async function stream(): Promise<void> {
  for (const until = Date.now() + streamsForMs; Date.now() < until; await sleep(turnMs)) {
    const turn = Array.from({ length: perTurn }, (_, n) => {
      const tenantId = tenants[Math.floor(Math.random() * tenants.length)] as TenantId;
      return message(topics[n % topics.length] ?? '', 'chaos.streamed', tenantId, { n });
    });
    await publish(turn);
  }
}

async function disturb(): Promise<void> {
  const [first, second] = own.instances;
  await sleep(8_000);
  await first?.kill();
  await sleep(6_000);
  second?.pause();
  await sleep(standsStillMs);
  second?.resume();
}

test(
  'keep chains without a fork, a gap or a doubled record',
  async () => {
    for (const [n, tenantId] of tenants.entries())
      await publish([
        message('reeve.directory.v1', 'tenant.created', tenantId, { slug: `chaos-${n}`, status: 'active' }),
      ]);
    await Promise.all([stream(), disturb()]);
    const total = [...published.values()].flat().length;
    expect(total).toBeGreaterThan(2_000);

    const asked = own.instances[2]?.url ?? '';
    const headers = { authorization: `Bearer ${await own.token()}` };
    const keys = (await (await fetch(`${asked}/.well-known/reeve-audit-keys`)).json()) as KeySet;
    const exported = async (tenantId: TenantId) =>
      (await (await fetch(`${asked}/v1/tenants/${tenantId}/audit/export`, { headers })).text())
        .split('\n')
        .filter(line => line !== '');
    for (const [tenantId, ids] of published) {
      const promised = new Set(ids);
      const lines = await eventually(
        `the ${ids.length} events of ${tenantId}`,
        async () => {
          const found = await exported(tenantId);
          const hits = recordsIn(found).filter(({ eventId }) => promised.has(eventId));
          return hits.length >= ids.length ? found : null;
        },
        minutes,
      );
      expect(await verifyLines(asLines(lines), { format: formats.ndjson, keys })).toMatchObject({ finding: null });
      const log = recordsIn(lines);
      expect(new Set(log.map(({ eventId }) => eventId)).size).toBe(log.length);
      const chains = Map.groupBy(log, ({ chain }) => chain);
      for (const records of chains.values()) {
        const found = records.map(({ eventId }: AuditEvent) => eventId).filter(id => promised.has(id));
        const inChain = new Set(found);
        expect(found).toEqual(ids.filter(id => inChain.has(id)));
      }
    }
  },
  5 * minutes,
);
