// The URL by which an application is known that nobody registered: where it says of itself what it is
// (draft-ietf-oauth-client-id-metadata-document). It is compared as it is written, so there is one way to write it.
import { isIP } from 'node:net';

/** None of ours begins so. */
const isUrl = /^https?:\/\//i;
export const isDocumentId = (clientId: string): boolean => isUrl.test(clientId);

const longest = 300;

/**
 * The URL; null for what is none that we would fetch: https at a name that people can read, without a port, a query or
 * anything that one reader takes for the host and another does not. `opened` are origins that are opened to the guard,
 * on a developer's machine.
 */
export function documentUrl(clientId: string, opened: readonly string[]): URL | null {
  const url = isDocumentId(clientId) && clientId.length <= longest ? URL.parse(clientId) : null;
  // Dot segments, another case, a default port, an address in decimal: all of them are written otherwise.
  if (url?.href !== clientId || url.search !== '' || clientId.includes('?') || clientId.includes('#')) return null;
  if (url.username !== '' || url.password !== '' || url.pathname === '/') return null;
  if (opened.includes(url.origin)) return url;
  const { protocol, port, hostname } = url;
  const isName = hostname.includes('.') && !hostname.endsWith('.') && isIP(hostname) === 0 && !hostname.startsWith('[');
  return protocol === 'https:' && port === '' && isName ? url : null;
}

/** What a policy names: any host, an exact one, or all below one. */
export const hostPattern = /^(\*|(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*)$/;

/** Whether the host, or each that the other pattern stands for, is among those of that pattern. */
function isWithin(host: string, pattern: string): boolean {
  if (pattern === '*' || host === pattern) return true;
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1));
}

export const isAmong = (host: string, patterns: readonly string[]): boolean =>
  patterns.some(pattern => isWithin(host, pattern));
