// What is revoked, from the issuer's server-sent events (`/revocations`). Connects again after every failure: each
// connection begins with all that matters, so that nothing is missed in between. Whoever hears nothing knows less and
// less, and `behindMs` says by how much.
import { setTimeout as pause } from 'node:timers/promises';
import * as client from 'openid-client';
import type { Fetch } from '../issuer.ts';
import { assertSecure } from '../issuer.ts';
import { readEvents } from './server-sent-events.ts';
import type { RevocationSource, RunningSource, SourceContext } from './source.ts';

export type FeedOptions = {
  /** A machine of the platform whose `tenants` are `all`: docs/applications.md, “Who is revoked”. */
  clientId: string;
  clientSecret: string;
  /** Unless it is `{issuer}/revocations`. */
  url?: string;
};

/** The feed says each second how far it knows. */
const longestSilenceMs = 5_000;
const [firstPauseMs, longestPauseMs] = [200, 10_000];
/** An entry has some 300 characters. */
const longestEvent = 65_536;
const tokenMarginSeconds = 30;

/** For `revocations.from` of `createVerifier`. */
export function revocationFeed(options: FeedOptions): RevocationSource {
  return context => start(options, context);
}

function start(options: FeedOptions, context: SourceContext): RunningSource {
  const { issuer, fetch, learn, onFailure } = context;
  const url = assertSecure(options.url ?? `${issuer}/revocations`);
  const tokenOf = createTokens(options, context);
  const stopping = new AbortController();
  const { promise: caughtUp, resolve } = Promise.withResolvers<void>();
  let upTo: Moment | null = null;

  async function connection(token: string, signal: AbortSignal, heard: () => void): Promise<void> {
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
    const response = await fetch(url, { headers, signal, redirect: 'error' });
    if (response.status === 401) tokenOf.forget();
    if (!response.ok || response.body === null) throw new Error(`${url.href} answered ${response.status}`);
    const clock = issuersClock(response);
    async function* listened(body: AsyncIterable<Uint8Array>) {
      for await (const chunk of body) {
        heard();
        yield chunk;
      }
    }
    for await (const { event, data } of readEvents(listened(response.body), longestEvent)) {
      const said: unknown = JSON.parse(data);
      if (event === 'revoked') learn(said);
      const known = event === 'known' ? Date.parse(String((said as { upTo?: unknown }).upTo)) : Number.NaN;
      if (Number.isNaN(known)) continue;
      upTo = { known, clock };
      resolve();
    }
    throw new Error(`${url.href} ended`);
  }

  async function goOn() {
    let failures = 0;
    while (!stopping.signal.aborted) {
      const silent = new AbortController();
      const timer = setTimeout(() => silent.abort(new Error(`${url.href} says nothing`)), longestSilenceMs);
      const signal = AbortSignal.any([stopping.signal, silent.signal]);
      try {
        await connection(await tokenOf.now(), signal, () => {
          timer.refresh();
          failures = 0;
        });
      } catch (error) {
        if (!stopping.signal.aborted) onFailure(error);
      } finally {
        clearTimeout(timer);
      }
      // Whoever was cut off together does not come again together.
      const longest = Math.min(firstPauseMs * 2 ** failures, longestPauseMs);
      failures += 1;
      const wait = longest * (0.5 + Math.random() / 2);
      await pause(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  const ended = goOn();

  return {
    caughtUp,
    behindMs: () => (upTo === null ? Infinity : upTo.clock() - upTo.known),
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}

/** Up to when all is known, and what time it is now, both by the issuer's clock. */
type Moment = { known: number; clock: () => number };

/**
 * What the issuer knows is dated by its own clock, which may be minutes from ours: so its time is taken from its answer
 * and goes on with ours. By whichever of our two clocks has gone further: one stands still while a machine sleeps, the
 * other can be set back.
 */
function issuersClock(response: Response): () => number {
  const [wall, steady] = [Date.now(), performance.now()];
  const said = Date.parse(response.headers.get('date') ?? '');
  const began = Number.isNaN(said) ? wall : said;
  return () => began + Math.max(Date.now() - wall, performance.now() - steady);
}

function createTokens({ clientId, clientSecret }: FeedOptions, { issuer, fetch }: { issuer: string; fetch: Fetch }) {
  let configuration: client.Configuration | null = null;
  let token: { text: string; until: number } | null = null;

  async function configured(): Promise<client.Configuration> {
    const plain = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    return client.discovery(new URL(issuer), clientId, clientSecret, undefined, {
      execute: plain,
      timeout: longestSilenceMs / 1_000,
      [client.customFetch]: fetch as client.CustomFetch,
    });
  }

  return {
    async now(): Promise<string> {
      if (token && performance.now() < token.until) return token.text;
      configuration ??= await configured();
      const asked = { scope: 'revocations:read', resource: issuer };
      const given = await client.clientCredentialsGrant(configuration, asked);
      const seconds = Math.max(0, (given.expires_in ?? 0) - tokenMarginSeconds);
      token = { text: given.access_token, until: performance.now() + seconds * 1_000 };
      return token.text;
    },
    forget() {
      token = null;
    },
  };
}
