// What a tenant writes into its DNS, and whether that is there. The token is bound to one claim of one tenant, so
// nothing that another tenant was given, and no record that stands for many names, proves anything here.
// draft-ietf-dnsop-domain-verification-techniques
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { challengeLabel } from './domain-name.ts';

const tokenBytes = 20;
const mostShown = 20;
const longestShown = 200;

export const proofProblems = [
  'record_missing',
  'record_differs',
  'record_expired',
  'dns_failed',
  'dns_differs',
] as const;
type ProofProblem = (typeof proofProblems)[number];

/** What one resolver said: the values of records, each joined of its strings, or the code of node:dns for why not. */
export type Answer = { resolver: string; values: readonly string[] } | { resolver: string; error: string };

export type Check = {
  /** `unclear`: nobody answered, or some have it and some have not. */
  outcome: 'present' | 'absent' | 'unclear';
  problem: ProofProblem | null;
  /** Bounded. Of a resolver that lacks the record, where there is one. */
  found: string[];
  /** Whom that is from; all that were asked, where they agree. */
  resolver: string;
  /** The DNS error, where nobody answered. */
  error: string | null;
};

/** 160 random bits in base32hex (RFC 4648 §7). */
export const newToken = (): string =>
  BigInt(`0x${randomBytes(tokenBytes).toString('hex')}`)
    .toString(32)
    .padStart((tokenBytes * 8) / 5, '0');

export const recordName = (domain: string): string => `${challengeLabel}.${domain}`;
export const recordValue = (token: string): string => `token=${token}`;

const rfc3339 = z.iso.datetime({ offset: true });

/** `token=…`, or the token alone, and then pairs of key and value of which `expiry` counts. */
function judge(value: string, token: string, now: Date): 'proof' | 'expired' | 'other' {
  const [first, ...pairs] = value.trim().split(/ +/);
  if (first !== recordValue(token) && first !== token) return 'other';
  const expiries = pairs.filter(pair => pair.startsWith('expiry=')).map(pair => pair.slice('expiry='.length));
  const isOver = (expiry: string) =>
    expiry !== 'never' && !(rfc3339.safeParse(expiry).success && new Date(expiry) > now);
  return expiries.some(isOver) ? 'expired' : 'proof';
}

type Judged = { resolver: string; values: readonly string[]; problem: ProofProblem | null };

function judgeAll(values: readonly string[], token: string, now: Date): ProofProblem | null {
  const judged = new Set(values.map(value => judge(value, token, now)));
  if (judged.has('proof')) return null;
  if (judged.has('expired')) return 'record_expired';
  return values.length === 0 ? 'record_missing' : 'record_differs';
}

const bounded = (values: readonly string[]) => values.slice(0, mostShown).map(value => value.slice(0, longestShown));

/**
 * Of what several resolvers said, which see the DNS from several places: without DNSSEC, whoever lies to one of them
 * does not lie to all. Those that did not answer do not count: silence is neither a proof nor its absence.
 */
export function evaluate(answers: readonly Answer[], token: string, now: Date): Check {
  const judged = answers.flatMap((answer): Judged[] =>
    'values' in answer ? [{ ...answer, problem: judgeAll(answer.values, token, now) }] : [],
  );
  const lacking = judged.find(({ problem }) => problem !== null);
  const having = judged.find(({ problem }) => problem === null);
  const all = (asked: readonly { resolver: string }[]) => asked.map(({ resolver }) => resolver).join(', ');
  if (lacking && having) {
    const { resolver, values } = lacking;
    return { outcome: 'unclear', problem: 'dns_differs', found: bounded(values), resolver, error: null };
  }
  if (lacking) {
    const { values, problem } = lacking;
    return { outcome: 'absent', problem, found: bounded(values), resolver: all(judged), error: null };
  }
  if (having)
    return { outcome: 'present', problem: null, found: bounded(having.values), resolver: all(judged), error: null };
  const [error = null] = answers.flatMap(answer => ('error' in answer ? [answer.error] : []));
  return { outcome: 'unclear', problem: 'dns_failed', found: [], resolver: all(answers), error };
}
