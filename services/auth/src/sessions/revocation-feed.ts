// What is revoked, as server-sent events, for those who verify our tokens by themselves and have no Kafka. Each connection
// begins with all that matters, so that nobody who comes again has missed anything; each second it says up to when all is
// known, so that whoever hears nothing knows that they know too little.
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Revocation } from '@reeve/contracts';
import { platformRoute, type Standing } from '@reeve/service-kit';
import type { Response } from 'express';
import { z } from 'zod';

type Parts = { standing: Pick<Standing, 'follow' | 'upToDateAt'> };

const saidEveryMs = 1_000;
/** Whoever reads so much more slowly than it comes begins anew. */
const mostWaitingBytes = 8_000_000;

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
  const say = (event: 'revoked' | 'known', about: Revocation | { upTo: string }) => {
    if (response.destroyed) return;
    response.write(`event: ${event}\ndata: ${JSON.stringify(about)}\n\n`);
    if (response.writableLength > mostWaitingBytes) response.destroy();
  };
  const stop = standing.follow(revocation => say('revoked', revocation));
  try {
    while (!response.destroyed) {
      say('known', { upTo: new Date(standing.upToDateAt()).toISOString() });
      await pause(saidEveryMs, undefined, { signal: gone.signal }).catch(() => undefined);
    }
  } finally {
    stop();
    if (!response.closed) {
      response.end();
      await once(response, 'close').catch(() => undefined);
    }
  }
}
