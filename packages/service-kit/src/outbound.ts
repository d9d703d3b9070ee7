// The SSRF guard: every URL that a tenant gives is fetched through here. Only https to public addresses; the address that
// was checked is the one connected to (the check sits in the connection's own look-up, so DNS cannot change its answer in
// between); no redirects; a time limit and a size limit. Exact origins can be opened for tests.
import { lookup } from 'node:dns';
import { once } from 'node:events';
import { isIP, type LookupFunction } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { ProblemError } from '@reeve/contracts';
import ipaddr from 'ipaddr.js';
import { Agent, fetch as undiciFetch } from 'undici';

export type GuardOptions = { allowedPrivateOrigins: readonly string[]; timeoutMs?: number; maxBytes?: number };

export function isPublicAddress(address: string): boolean {
  try {
    return ipaddr.process(address).range() === 'unicast';
  } catch {
    return false;
  }
}

/** Throws `url_refused` for a URL that must not be fetched. Names are checked again when they are resolved. */
function assertFetchable(url: URL, allowedPrivateOrigins: readonly string[]): void {
  if (allowedPrivateOrigins.includes(url.origin)) return;
  if (url.protocol !== 'https:') throw new ProblemError('url_refused', 'only https URLs are fetched');
  if (url.username !== '' || url.password !== '')
    throw new ProblemError('url_refused', 'a URL may not hold credentials');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new ProblemError('url_refused', 'the address is not public');
}

/** Asked by the connection itself, for all addresses of a name. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const open = addresses.filter(({ address }) => isPublicAddress(address));
    const [first] = open;
    if (!first) return callback(new ProblemError('url_refused', 'the name leads to an address that is not public'), []);
    return options.all === true ? callback(null, open) : callback(null, first.address, first.family);
  });
};

const guardedAgent = new Agent({ connect: { lookup: publicLookup } });

export type GuardedFetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** A fetch with the guard, for handing to libraries. Rejects with `url_refused`, or as fetch does. */
export function createGuardedFetch({
  allowedPrivateOrigins,
  timeoutMs = 5_000,
  maxBytes = 512 * 1024,
}: GuardOptions): GuardedFetch {
  return async (input, init = {}) => {
    const url = new URL(input);
    assertFetchable(url, allowedPrivateOrigins);
    const { signal, body, ...rest } = init;
    const response = await undiciFetch(url, {
      ...(rest as object),
      ...(body === undefined || body === null ? {} : { body: body as string }),
      redirect: 'manual',
      signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal ? [signal] : [])]),
      ...(allowedPrivateOrigins.includes(url.origin) ? {} : { dispatcher: guardedAgent }),
    });
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body ?? []) {
      size += (chunk as Uint8Array).byteLength;
      if (size > maxBytes) throw new ProblemError('url_refused', `the answer is larger than ${maxBytes} bytes`);
      chunks.push(chunk as Uint8Array);
    }
    const empty = [204, 205, 304].includes(response.status);
    const headers = new Headers([...response.headers]);
    headers.delete('content-encoding'); // undici has decoded it
    headers.delete('content-length');
    return new Response(empty ? null : Buffer.concat(chunks), { status: response.status, headers });
  };
}

type GuardedConnect = (to: {
  host: string;
  port: number;
  /** PEM of the authority to trust instead of the public ones. */
  ca?: string | undefined;
  signal: AbortSignal;
}) => Promise<TLSSocket>;

/** Throws `url_refused` for an address inside the network. A peer on this machine is opened as `tls://host:port`. */
function assertConnectable(
  { host, port }: { host: string; port: number },
  allowedPrivateOrigins: readonly string[],
): void {
  if (allowedPrivateOrigins.includes(`tls://${host}:${port}`)) return;
  if (isIP(host) !== 0 && !isPublicAddress(host)) throw new ProblemError('url_refused', 'the address is not public');
}

/** A connection that is still to come. Throws `url_refused` at once, or errs with it when a name leads where it may not. */
function openGuarded(
  { host, port, ca }: { host: string; port: number; ca?: string | undefined },
  allowedPrivateOrigins: readonly string[],
): TLSSocket {
  assertConnectable({ host, port }, allowedPrivateOrigins);
  const allowed = allowedPrivateOrigins.includes(`tls://${host}:${port}`);
  return connect({
    host,
    port,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...(allowed ? {} : { lookup: publicLookup }),
  });
}

/** The same guard for a protocol on TLS itself. Rejects with `url_refused`, or as the connection fails. */
function createGuardedConnect({ allowedPrivateOrigins }: GuardOptions): GuardedConnect {
  return async ({ signal, ...to }) => {
    const socket = openGuarded(to, allowedPrivateOrigins);
    try {
      await once(socket, 'secureConnect', { signal });
      return socket;
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
}

/** All ways out to where a tenant says, behind one guard; and what can be said of a destination before it is connected to. */
export type GuardedNetwork = {
  fetch: GuardedFetch;
  connect: GuardedConnect;
  /** For a client that connects by itself: the socket before it is connected. */
  openTls(to: { host: string; port: number; ca?: string | undefined }): TLSSocket;
  assertUrl(url: string): void;
  assertAddress(to: { host: string; port: number }): void;
};

export function createGuardedNetwork(options: GuardOptions): GuardedNetwork {
  return {
    fetch: createGuardedFetch(options),
    connect: createGuardedConnect(options),
    openTls: to => openGuarded(to, options.allowedPrivateOrigins),
    assertUrl: url => assertFetchable(new URL(url), options.allowedPrivateOrigins),
    assertAddress: to => assertConnectable(to, options.allowedPrivateOrigins),
  };
}
