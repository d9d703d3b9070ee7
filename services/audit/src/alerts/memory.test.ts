import { describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '@reeve/audit-log';
import { emptyContext } from '@reeve/contracts';
import { createMemories, remember, weightWithin } from './memory.ts';
import { dayMs, hourMs, minuteMs } from './rule.ts';

const began = Date.parse('2026-11-25T12:00:00.000Z');
let now = began;
const iso = (ms: number) => new Date(ms).toISOString();
const record = (sequence: number, ms = now, ip: string | null = null) =>
  ({ tenantId: 'ten_a', chain: 'c/0', sequence, time: iso(ms), context: { ...emptyContext, ip } }) as AuditRecord;

function start() {
  now = began;
  const memories = createMemories(() => now);
  return {
    see(sequence: number, { at = now, weight = 1, ip = null as string | null, key = 'rule subject' } = {}) {
      const one = record(sequence, at, ip);
      const memory = memories.before(one);
      const before = memory && remember(memory, key, { record: one, weight, now });
      const within = (from: number, to: number) => {
        const remembered = memory?.of.get(key);
        return memory && remembered ? weightWithin(memory, remembered, { from, to, now }) : null;
      };
      return { memory, before, within };
    },
  };
}

describe('what is remembered of a chain', () => {
  test('reaches back to when it began to be read, and says that it does not know what was before', () => {
    const { see } = start();
    see(10);
    now += 20 * minuteMs;
    const { within } = see(11);
    expect(within(began + 2 * minuteMs, now)).toBe(1);
    expect(within(began - minuteMs, now)).toBe(null);
    // Nor what comes of a time that has not come yet: a clock that was ahead before may have brought more of it.
    expect(within(now, now + 5 * minuteMs)).toBe(null);
  });

  test('counts by the minute, whatever the order, and what a record stands for', () => {
    const { see } = start();
    see(1);
    now += hourMs;
    see(2, { weight: 5 });
    see(3, { at: now - 3 * minuteMs, weight: 2 });
    const { within } = see(4);
    expect(within(now - minuteMs, now)).toBe(6);
    expect(within(now - 10 * minuteMs, now)).toBe(8);
  });

  test('is the newest record of a subject, also where an older one comes later', () => {
    const { see } = start();
    see(1, { ip: '192.0.2.1' });
    expect(see(2, { at: now - hourMs, ip: '192.0.2.2' }).before).toMatchObject({ ip: '192.0.2.1' });
    expect(see(3, { key: 'rule other' }).before).toBe(null);
    expect(see(4).before).toMatchObject({ time: iso(now), ip: '192.0.2.1' });
  });

  test('begins anew after a gap, in which another process may have read', () => {
    const { see } = start();
    see(1);
    now += hourMs;
    expect(see(2).before).not.toBe(null);
    const { before, within } = see(4);
    expect(before).toBe(null);
    expect(within(now - minuteMs, now)).toBe(null);
  });

  test('knows a record that comes again', () => {
    const { see } = start();
    see(1);
    see(2);
    expect(see(2).memory).toBe(null);
    expect(see(3).memory).not.toBe(null);
  });

  test('is bounded: a chain with very many subjects begins anew, and minutes are forgotten after a day', () => {
    const { see } = start();
    for (let n = 1; n <= 5_000; n += 1) expect(see(n, { key: `rule ${n}` }).memory?.of.size).toBe(n);
    expect(see(5_001).memory?.of.size).toBe(1);
    now += 2 * dayMs;
    expect(see(5_002).memory?.of.get('rule subject')?.weights.size).toBe(1);
  });
});
