// Delivers by poll (RFC 8936): what waits comes again and again until the receiver says that it has it.
import { setTimeout as pause } from 'node:timers/promises';
import { ProblemError } from '@reeve/contracts';
import { type Logger, ownTenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { ownStream } from './own-stream.ts';
import { type Signals, signalId, signed } from './signal.ts';
import { isPush, type Streams } from './stream.ts';

type Parts = { streams: Streams; signals: Signals; key: () => SigningKey; issuer: string; log: Logger };

const mostAtOnce = 100;
const waitMs = 20_000;
const lookEveryMs = 250;
/** Of a stream, at an instance; whoever else asks is answered at once. */
const mostWaiting = 2;
const jti = z.string().max(200);

const body = z.strictObject({
  maxEvents: z.number().int().min(0).max(100_000).default(mostAtOnce),
  returnImmediately: z.boolean().default(false),
  ack: z.array(jti).max(1_000).default([]),
  setErrs: z
    .record(jti, z.looseObject({ err: z.string().max(100), description: z.string().max(1_000).exactOptional() }))
    .default({}),
});

export function pollSignals({ streams, signals, key, issuer, log }: Parts) {
  const waiting = new Map<string, number>();
  return ownTenantRoute({
    method: 'post',
    path: '/ssf/poll/{streamId}',
    summary: 'Get security events that wait, and say which have come (RFC 8936); waits for some for twenty seconds',
    action: 'signal-streams:read',
    body,
    response: z.object({ sets: z.record(z.string(), z.string()), moreAvailable: z.boolean().optional() }),
    async handle({ tenantId, caller, params: { streamId }, body: asked, signal: gone }) {
      const find = () => ownStream(streams, { tenantId, caller, streamId });
      const entry = await find();
      if (isPush(entry.state)) throw new ProblemError('not_found', 'the stream delivers by push');
      const own = signals.in(tenantId);
      const through = [...new Set([...asked.ack, ...Object.keys(asked.setErrs)])];
      if (through.length > 0) await own.removeAll(through.map(one => signalId(entry.id, one)));
      for (const [one, { err }] of Object.entries(asked.setErrs))
        log.warn({ stream: entry.id, jti: one, err }, 'a receiver refuses a security event');
      if (asked.maxEvents === 0 || entry.state.status !== 'enabled') return { body: { sets: {} } };
      const limit = Math.min(asked.maxEvents, mostAtOnce);
      const waits = waiting.get(entry.id) ?? 0;
      const mayWait = !asked.returnImmediately && waits < mostWaiting;
      const until = performance.now() + (mayWait ? waitMs : 0);
      if (mayWait) waiting.set(entry.id, waits + 1);
      try {
        for (;;) {
          const { items, nextCursor } = await own.list('byStream', { streamId: entry.id }, { limit });
          if (items.length > 0 || performance.now() >= until || gone.aborted) {
            // It may have been paused, or gone with its application, while its receiver waited.
            if (mayWait && (await find()).state.status !== 'enabled') return { body: { sets: {} } };
            const by = { key: key(), issuer, audience: entry.state.clientId };
            const sets = await Promise.all(items.map(async one => [one.state.jti, await signed(one, by)] as const));
            const more = nextCursor === null ? {} : { moreAvailable: true };
            return { body: { sets: Object.fromEntries(sets), ...more } };
          }
          await pause(lookEveryMs, undefined, { signal: gone }).catch(() => undefined);
        }
      } finally {
        const left = (waiting.get(entry.id) ?? 1) - 1;
        if (mayWait && left > 0) waiting.set(entry.id, left);
        else if (mayWait) waiting.delete(entry.id);
      }
    },
  });
}
