// The SSRF guard: every URL that a tenant gives is fetched through here. Only https to public addresses, and to those
// inside that the operator has opened; the address that was checked is the one connected to (the check sits in the
// connection's own look-up, so DNS cannot change its answer in between); no redirects; a time limit and a size limit.
// Exact origins can be opened for tests.
import { constants } from 'node:crypto';
import { addAbortListener, once } from 'node:events';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { ProblemError } from '@reeve/contracts';
import { Agent, buildConnector, fetch as undiciFetch } from 'undici';
import {
  type AllowedNetworks,
  isAllowedInside,
  networksFor,
  type OutboundPurpose,
  wouldOpen,
} from './allowed-networks.ts';
import type { BaseConfig } from './config.ts';
import { isPublicAddress } from './public-address.ts';
import { createPublicLookup } from './public-lookup.ts';

export type Inside = {
  /** For tests. */
  allowedPrivateOrigins: readonly string[];
  /** None where left out. */
  allowed?: AllowedNetworks | undefined;
};
/** As the operator has said for that purpose. */
export const insideFor = (
  config: Pick<BaseConfig, 'REEVE_ALLOWED_PRIVATE_ORIGINS' | 'REEVE_ALLOWED_NETWORKS'>,
  purpose: OutboundPurpose,
): Inside => ({
  allowedPrivateOrigins: config.REEVE_ALLOWED_PRIVATE_ORIGINS,
  allowed: networksFor(config.REEVE_ALLOWED_NETWORKS, purpose),
});

export type GuardOptions = Inside & { timeoutMs?: number; maxBytes?: number };

/** Names are looked at when they are resolved. */
function assertAddress(host: string, { allowed }: Inside): void {
  if (isIP(host) === 0 || isPublicAddress(host) || (allowed && isAllowedInside(host, null, allowed))) return;
  const why = 'the address is not public';
  throw new ProblemError('url_refused', allowed ? `${why}; ${wouldOpen(allowed)}` : why);
}

/** Throws `url_refused` for a URL that must not be fetched. */
function assertFetchable(url: URL, inside: Inside): void {
  if (inside.allowedPrivateOrigins.includes(url.origin)) return;
  if (url.protocol !== 'https:') throw new ProblemError('url_refused', 'only https URLs are fetched');
  if (url.username !== '' || url.password !== '')
    throw new ProblemError('url_refused', 'a URL may not hold credentials');
  assertAddress(url.hostname.replace(/^\[|\]$/g, ''), inside);
}

/** A peer that asks for one handshake after the other, in TLS 1.2, is not followed: each costs more than a request. */
const tlsLimits = { minVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_RENEGOTIATION } as const;

const mostBytesASecond = 4_000_000;
const longestIdleMs = 10_000;

/** Ends a connection whose peer keeps us busy with what is no answer, as interim responses without end. */
function endFloods(socket: Socket): void {
  let [since, from] = [0, 0];
  socket.on('readable', () => {
    const now = performance.now();
    if (now - since > 1_000) [since, from] = [now, socket.bytesRead];
    if (socket.bytesRead - from > mostBytesASecond) socket.destroy(new ProblemError('url_refused', 'it says too much'));
  });
}

/** HTTP/2 has many more ways for a peer to keep us busy, and one request at a time gains nothing by it. */
function createAgent({ lookup }: { lookup?: LookupFunction }): Agent {
  const connectTo = buildConnector({ ...tlsLimits, allowH2: false, ...(lookup ? { lookup } : {}) });
  return new Agent({
    allowH2: false,
    keepAliveMaxTimeout: longestIdleMs,
    connect: (options, callback) =>
      connectTo(options, (error, socket) => {
        if (error) return callback(error, null);
        endFloods(socket);
        return callback(null, socket);
      }),
  });
}

/** With `withoutBody` nothing is read of the answer but its status and headers. */
type GuardedInit = RequestInit & { withoutBody?: boolean };

export type GuardedFetch = (url: string | URL, init?: GuardedInit) => Promise<Response>;

/** A fetch with the guard, for handing to libraries. Rejects with `url_refused`, or as fetch does. */
export function createGuardedFetch({
  timeoutMs = 5_000,
  maxBytes = 512 * 1024,
  ...inside
}: GuardOptions): GuardedFetch {
  const { allowedPrivateOrigins, allowed } = inside;
  const guarded = createAgent({ lookup: createPublicLookup({ allowed }) });
  const opened = createAgent({});
  return async (input, init = {}) => {
    const url = new URL(input);
    assertFetchable(url, inside);
    const { signal, body, withoutBody = false, ...rest } = init;
    const response = await undiciFetch(url, {
      ...(rest as object),
      ...(body === undefined || body === null ? {} : { body: body as string }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      dispatcher: allowedPrivateOrigins.includes(url.origin) ? opened : guarded,
    }).catch((error: unknown) => {
      // The look-up refuses inside of what fetch makes its own error of.
      throw error instanceof TypeError && error.cause instanceof ProblemError ? error.cause : error;
    });
    if (withoutBody) await response.body?.cancel();
    const bytes = withoutBody ? null : await bytesOf(response.body ?? [], maxBytes);
    const empty = [204, 205, 304].includes(response.status);
    const headers = new Headers([...response.headers]);
    headers.delete('content-encoding'); // undici has decoded it
    headers.delete('content-length');
    return new Response(empty ? null : bytes, { status: response.status, headers });
  };
}

async function bytesOf(body: AsyncIterable<unknown> | Iterable<unknown>, most: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Uint8Array).byteLength;
    if (size > most) throw new ProblemError('url_refused', `the answer is larger than ${most} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

type Guard = Inside & { lookup: LookupFunction };

type Destination = {
  host: string;
  port: number;
  /** PEM of the authority to trust instead of the public ones. */
  ca?: string | undefined;
};

/** Resolves when it is connected. When the signal aborts, at the latest, the connection ends. */
type GuardedConnect = (to: Destination & { signal: AbortSignal }) => Promise<TLSSocket>;

/** Throws `url_refused` for an address inside that is not open. For tests a peer is opened as `tls://host:port`. */
function assertConnectable({ host, port }: Destination, inside: Inside): void {
  if (!inside.allowedPrivateOrigins.includes(`tls://${host}:${port}`)) assertAddress(host, inside);
}

/**
 * A connection that is still to come. Throws `url_refused` at once, or errs with it when a name leads where it may not.
 */
function openGuarded({ host, port, ca }: Destination, { lookup, ...inside }: Guard): TLSSocket {
  assertConnectable({ host, port }, inside);
  const isOpened = inside.allowedPrivateOrigins.includes(`tls://${host}:${port}`);
  const socket = connect({
    host,
    port,
    ...tlsLimits,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(isOpened ? {} : { lookup }),
  });
  // For its whole life: a reset that comes when nobody waits any more would otherwise end the process.
  socket.on('error', () => undefined);
  return socket;
}

/** The same guard for a protocol on TLS itself. Rejects with `url_refused`, or as the connection fails. */
const createGuardedConnect =
  (guard: Guard): GuardedConnect =>
  async ({ signal, ...to }) => {
    signal.throwIfAborted();
    const socket = openGuarded(to, guard);
    addAbortListener(signal, () => socket.destroy());
    try {
      await once(socket, 'secureConnect', { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };

/**
 * All ways out to where a tenant says, behind one guard; and what can be said of a destination before it is connected
 * to.
 */
export type GuardedNetwork = {
  fetch: GuardedFetch;
  connect: GuardedConnect;
  /** For a client that connects by itself: the socket before it is connected. Whoever opens it destroys it. */
  openTls(to: Destination): TLSSocket;
  assertUrl(url: string): void;
  assertAddress(to: Destination): void;
  /** To make the same guard in another process. */
  inside: Inside;
};

export function createGuardedNetwork(options: GuardOptions): GuardedNetwork {
  const { allowedPrivateOrigins, allowed } = options;
  const inside = { allowedPrivateOrigins, allowed };
  const guard = { ...inside, lookup: createPublicLookup({ allowed }) };
  return {
    fetch: createGuardedFetch(options),
    connect: createGuardedConnect(guard),
    openTls: to => openGuarded(to, guard),
    assertUrl: url => assertFetchable(new URL(url), inside),
    assertAddress: to => assertConnectable(to, inside),
    inside,
  };
}
