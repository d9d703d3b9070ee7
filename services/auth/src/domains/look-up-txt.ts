// Asks the DNS for TXT records: each resolver that is configured, by itself, or the system's. Whether an answer is
// authentic (DNSSEC) is the resolver's to validate: node:dns does not show the AD bit.
import { CANCELLED, getServers, Resolver, TIMEOUT } from 'node:dns';
import { isIPv4, isIPv6 } from 'node:net';
import type { Answer } from './proof.ts';

export type LookUpTxt = (name: string) => Promise<Answer[]>;

const timeLimitMs = 5_000;
/** Of one try; c-ares doubles it for the second. */
const timeoutMs = 1_500;
const tries = 2;

/** The DNS knows that there is no such name, or that it has no such records: an answer, and not a failure. */
const nothingThere = new Set(['ENOTFOUND', 'ENODATA']);

/** `192.0.2.1`, `192.0.2.1:53`, `2001:db8::1`, `[2001:db8::1]:53`. */
export function isResolverAddress(text: string): boolean {
  if (isIPv6(text)) return true;
  const { v4, v6, port = '53' } = /^(?:(?<v4>[\d.]+)|\[(?<v6>.+)\])(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ?? {};
  return (isIPv4(v4 ?? '') || isIPv6(v6 ?? '')) && Number(port) > 0 && Number(port) < 65_536;
}

/** A new one for each question: c-ares keeps answers, and whoever asks again wants to know what is there now. */
function ask(servers: readonly string[], name: string): Promise<Answer> {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  resolver.setServers(servers);
  const from = servers.join(', ');
  const timer = setTimeout(() => resolver.cancel(), timeLimitMs);
  return new Promise<Answer>(resolve => {
    resolver.resolveTxt(name, (error, records) => {
      clearTimeout(timer);
      if (!error) resolve({ resolver: from, values: records.map(strings => strings.join('')) });
      else if (nothingThere.has(error.code ?? '')) resolve({ resolver: from, values: [] });
      // Nobody cancels it but the time limit.
      else resolve({ resolver: from, error: error.code === CANCELLED ? TIMEOUT : (error.code ?? 'EUNKNOWN') });
    });
  });
}

/** With no servers, the system's are asked, one after the other until one answers. */
export const createTxtLookup =
  (servers: readonly string[]): LookUpTxt =>
  name =>
    Promise.all((servers.length === 0 ? [getServers()] : servers.map(server => [server])).map(one => ask(one, name)));
