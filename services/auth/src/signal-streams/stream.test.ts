import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { sessionRevoked } from './signal-events.ts';
import {
  close,
  delivers,
  open,
  pollMethod,
  pushMethod,
  putOff,
  rest,
  type Stream,
  streams,
  take,
  update,
  viewOf,
  wake,
} from './stream.ts';

const at = (second: number) => new Date(Date.parse('2026-11-27T12:00:00.000Z') + second * 1_000);
const iso = (second: number) => at(second).toISOString();
const id = newId('signalStream');
const delivery = { method: pushMethod, endpointUrl: 'https://receiver.example/events', hasHeader: true } as const;
const settings = { clientId: newId('client'), delivery, eventsRequested: null, description: null };
const opened = open(id, settings, at(0)).state;
const by = (holder: string, second: number) => ({ holder, now: at(second), forMs: 60_000 });
const dueAt = (stream: Stream) => streams.dueAt?.(stream) ?? null;
const taken = (stream: Stream | null): Stream => {
  if (!stream) throw new Error('it was not to be had');
  return stream;
};

describe('a stream that pushes', () => {
  test('is due once something is queued, and one process has it at a time, until it is lost', () => {
    expect(dueAt(opened)).toBeNull();
    const woken = wake(opened, 'first', at(1));
    expect(dueAt(woken)).toEqual(at(1));
    const first = taken(take(woken, by('one', 2)));
    expect(take(first, by('another', 30))).toBeNull();
    expect(dueAt(first)).toEqual(at(62));
    expect(take(first, by('another', 63))).toMatchObject({ lease: { holder: 'another' } });
  });

  test('rests when nothing more is there, and not where something came while it was looked', () => {
    const held = taken(take(wake(opened, 'first', at(1)), by('one', 2)));
    expect(dueAt(rest(held, { seen: 'first', at: at(3) }))).toBeNull();
    const meanwhile = wake(held, 'second', at(3));
    expect(dueAt(rest(meanwhile, { seen: 'first', at: at(3) }))).toEqual(at(3));
  });

  test('is put off for longer each time, for five minutes at most, whatever is queued', () => {
    let stream = wake(opened, 'first', at(0));
    const pauses = Array.from({ length: 12 }, () => {
      stream = putOff(stream, { at: at(0), random: () => 0.5 });
      return ((dueAt(stream)?.getTime() ?? 0) - at(0).getTime()) / 1_000;
    });
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    expect(dueAt(wake(stream, 'second', at(1)))).toEqual(at(300));
    expect(rest(stream, { seen: 'first', at: at(1) })).toMatchObject({ failures: 0, dueAt: null });
  });

  test('is not due while it is paused, polled or gone, and is looked at when that changes', () => {
    const woken = wake(opened, 'first', at(1));
    const change = (changed: Partial<Stream>, second: number) =>
      update(id, woken, { change: changed, at: at(second) })?.state ?? woken;
    for (const stream of [
      change({ status: 'paused' }, 2),
      change({ delivery: { method: pollMethod } }, 2),
      close(id, woken, { because: 'requested', at: at(2) })?.state ?? woken,
    ]) {
      expect(dueAt(stream)).toBeNull();
      expect(take(stream, by('one', 3))).toBeNull();
    }
    const paused = change({ status: 'paused' }, 2);
    expect(dueAt(update(id, paused, { change: { status: 'enabled' }, at: at(9) })?.state ?? paused)).toEqual(at(9));
    expect(update(id, woken, { change: { status: 'enabled' }, at: at(9) })).toBeNull();
  });
});

test('a stream delivers what is asked for and there is, all where nothing is said, and shows no header', () => {
  expect(delivers(opened, sessionRevoked)).toBe(true);
  expect(delivers({ eventsRequested: [] }, sessionRevoked)).toBe(false);
  expect(delivers({ eventsRequested: ['urn:unknown'] }, 'urn:unknown')).toBe(false);
  const view = viewOf({ id, state: opened }, 'https://auth.example');
  expect(view.delivery).toEqual({ method: pushMethod, endpoint_url: delivery.endpointUrl });
  expect(view).not.toHaveProperty('events_requested');
  expect(opened.createdAt).toBe(iso(0));
});
