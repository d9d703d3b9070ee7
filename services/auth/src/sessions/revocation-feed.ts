// What is revoked, as server-sent events, for those who verify our tokens by themselves and have no Kafka. Each
// connection begins with all that matters, so that nobody who comes again has missed anything; each second it says up
// to when all is known, so that whoever hears nothing knows that they know too little.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Revocation } from '@reeve/contracts';
import { platformRoute, type Standing } from '@reeve/service-kit';
import type { Response } from 'express';
import { z } from 'zod';

type Parts = { standing: Pick<Standing, 'follow' | 'upToDateAt'> };

const saidEveryMs = 1_000;
/** Whoever takes nothing for so long begins anew. */
const longestStallMs = 10_000;
const entriesAtOnce = 500;

export const revocationFeed = ({ standing }: Parts) =>
  platformRoute({
    method: 'get',
    path: '/revocations',
    summary:
      'What is revoked, as server-sent events: `revoked` with an entry of reeve.revocations.v1 as its data, first all ' +
      'that matter, then each as it comes; `known` each second, with the moment up to which all is known',
    action: 'revocations:read',
    response: z.string(),
    produces: ['text/event-stream'],
    handle: async () => ({ stream: response => feed(standing, response) }),
  });

async function feed(standing: Parts['standing'], response: Response): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const waiting: Revocation[] = [];
  let wake = () => {};
  const stop = standing.follow(revocation => {
    waiting.push(revocation);
    wake();
  });
  let saidAt = Number.NEGATIVE_INFINITY;
  try {
    while (!gone.signal.aborted) {
      const upTo = standing.upToDateAt();
      while (waiting.length > 0) {
        const told = waiting.splice(0, entriesAtOnce);
        await write(response, told.map(one => textOf('revoked', one)).join(''), gone.signal);
      }
      if (performance.now() - saidAt >= saidEveryMs) {
        saidAt = performance.now();
        await write(response, textOf('known', { upTo: new Date(upTo).toISOString() }), gone.signal);
      }
      const woken = new AbortController();
      wake = () => woken.abort();
      const signal = AbortSignal.any([gone.signal, woken.signal]);
      await pause(saidEveryMs, undefined, { signal }).catch(() => undefined);
    }
  } catch {
    response.destroy();
  } finally {
    stop();
  }
}

const textOf = (event: 'revoked' | 'known', about: Revocation | { upTo: string }): string =>
  `event: ${event}\ndata: ${JSON.stringify(about)}\n\n`;

/** Rejects where nobody takes it. */
async function write(response: Response, text: string, gone: AbortSignal): Promise<void> {
  if (response.write(text)) return;
  await once(response, 'drain', { signal: AbortSignal.any([gone, AbortSignal.timeout(longestStallMs)]) });
}
