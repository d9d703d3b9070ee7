// A domain of a tenant. Owns who has claimed which domain, who has proven it by DNS, and what is asked of people with
// an address of it. A claim reserves nothing, so that nobody can block a domain that is not theirs; the proof makes the
// domain one tenant's. It is asked for again and again: a domain whose record is gone is given up after a grace, and
// nothing of what it was to a tenant comes back with a later claim. Does not own connections, nor whom they speak for.
import { event, type Id, ProblemError, type ReasonOf } from '@reeve/contracts';
import { type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { type Check, proofProblems, recordName, recordValue } from './proof.ts';

const lastCheck = z.object({
  at: z.string(),
  expected: z.string(),
  found: z.array(z.string()).describe('At most 20 values of 200 characters'),
  resolver: z.string().describe('Whom the DNS was asked at'),
  problem: z.enum([...proofProblems, 'domain_taken']).nullable(),
  error: z.string().nullable().describe('How the DNS failed, where it did'),
});

const settings = z.object({
  policy: z
    .enum(['enforced', 'offered', 'off'])
    .describe('enforced: people with an address of it sign in by its connection alone; offered: they may'),
  connectionId: z.string().nullable().describe('By which connection they sign in'),
  breakGlass: z
    .array(
      z
        .email()
        .max(320)
        .transform(address => address.toLowerCase()),
    )
    .max(5)
    .describe('Addresses of the domain whose owners may sign in another way although it is enforced; each use is told'),
});
export type DomainSettings = z.infer<typeof settings>;

export type Domain = DomainSettings & {
  name: string;
  /** Whether it is the tenant's: `verified`, and `failing` as long as its record is gone and the grace lasts. */
  status: 'pending' | 'verified' | 'failing';
  token: string;
  claimedAt: string;
  /** When a claim that nobody has proven ends; null once it is proven. */
  expiresAt: string | null;
  verifiedAt: string | null;
  /** The last time that the DNS gave an answer that counts. */
  checkedAt: string | null;
  nextCheckAt: string | null;
  failingSince: string | null;
  lastCheck: z.infer<typeof lastCheck> | null;
  /** When somebody last asked for a check. */
  askedAt: string | null;
  /** When its tenant was last told that another one has proven it as well. */
  contestedAt: string | null;
  lease: Lease;
  /** Absent while it is the tenant's, or claimed. */
  releasedAt?: string;
};

export type Domains = Collections<Domain>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const claimForMs = 7 * dayMs;
export const graceMs = 72 * hourMs;
const recordTtlSeconds = 300;
const secondsBetweenChecks = 5;

const isHeld = ({ status, releasedAt }: Domain) => status !== 'pending' && releasedAt === undefined;

const dateOf = (text: string | null | undefined) => (text ? new Date(text) : null);

export const domains = collection<Domain>({
  name: 'domains',
  unique: { name: ({ name, releasedAt }) => (releasedAt === undefined ? name : null) },
  globallyUnique: { holder: domain => (isHeld(domain) ? domain.name : null) },
  queries: { inOrder: { equality: [] }, byConnection: { equality: ['connectionId'] } },
  expiresAt: ({ releasedAt, expiresAt }) => dateOf(releasedAt ?? expiresAt),
  dueAt: domain => (isHeld(domain) ? dateOf(domain.lease?.until ?? domain.nextCheckAt) : null),
});

export const domainsPath = '/v1/tenants/{tenantId}/domains' as const;

export const settingsSchema = z.strictObject(settings.shape);

export const domainView = settings.extend({
  id: z.string(),
  name: z.string(),
  status: z.enum(['pending', 'verified', 'failing']),
  record: z
    .object({ name: z.string(), type: z.literal('TXT'), value: z.string(), ttl: z.number() })
    .describe('What has to be in the DNS, also after the domain was verified'),
  claimedAt: z.string(),
  expiresAt: z.string().nullable().describe('When a claim that is not verified ends'),
  verifiedAt: z.string().nullable(),
  checkedAt: z.string().nullable(),
  nextCheckAt: z.string().nullable(),
  failingSince: z.string().nullable(),
  lastCheck: lastCheck.nullable(),
});

export function viewOf({ id, state }: Entry<Domain>): z.infer<typeof domainView> {
  const { name, token } = state;
  const record = { name: recordName(name), type: 'TXT', value: recordValue(token), ttl: recordTtlSeconds } as const;
  return domainView.parse({ id, record, ...state });
}

type DomainId = Id<'domain'>;

const about = (id: DomainId, { name }: Domain) => ({ id, name, details: { domain: name } });

const later = (at: Date, ms: number) => new Date(at.getTime() + ms).toISOString();

export function claim(
  id: DomainId,
  asked: DomainSettings & Pick<Domain, 'name' | 'token'>,
  at: Date,
): NonNullable<Decision<Domain>> {
  const state: Domain = {
    ...asked,
    status: 'pending',
    claimedAt: at.toISOString(),
    expiresAt: later(at, claimForMs),
    verifiedAt: null,
    checkedAt: null,
    nextCheckAt: null,
    failingSince: null,
    lastCheck: null,
    askedAt: null,
    contestedAt: null,
    lease: null,
  };
  return { state, events: [event('domain.claimed', { ...about(id, state), because: 'requested' })] };
}

/** `enforced` without a connection would let nobody in. */
export const isContradictory = ({ policy, connectionId }: Pick<DomainSettings, 'policy' | 'connectionId'>): boolean =>
  policy === 'enforced' && connectionId === null;

export function update(id: DomainId, domain: Domain, change: Partial<DomainSettings>): Decision<Domain> {
  const changed = changedIn(domain, change);
  if (changed.length === 0) return null;
  const state: Domain = { ...domain, ...change };
  const { details, ...target } = about(id, state);
  const { policy, connectionId } = state;
  const told = { ...details, policy, connectionId, changed };
  return { state, events: [event('domain.updated', { ...target, because: 'requested', details: told })] };
}

/** Its connection is gone: what is asked of people stays, and there is nothing that they could do it by. */
export function loseConnection(id: DomainId, domain: Domain, connectionId: string): Decision<Domain> {
  if (domain.connectionId !== connectionId) return null;
  const state: Domain = { ...domain, connectionId: null };
  const { details, ...target } = about(id, state);
  const told = { ...details, policy: state.policy, connectionId: null, changed: ['connectionId'] };
  return { state, events: [event('domain.updated', { ...target, because: 'connection_deleted', details: told })] };
}

/** Throws `rate_limited` for whoever asks again at once: each check is a question to somebody else's servers. */
export function askForCheck(domain: Domain, at: Date, isLimited: boolean): NonNullable<Decision<Domain>> {
  const freeAt = domain.askedAt === null ? 0 : Date.parse(domain.askedAt) + secondsBetweenChecks * 1_000;
  const waitMs = freeAt - at.getTime();
  if (isLimited && waitMs > 0) {
    const detail = `a domain is checked once in ${secondsBetweenChecks} seconds`;
    throw new ProblemError('rate_limited', detail, { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
  }
  return { state: { ...domain, askedAt: at.toISOString() }, events: [] };
}

export const take = (domain: Domain, by: LeaseBy): Domain | null => {
  const lease = leaseFor(domain.lease, by);
  return lease && isHeld(domain) ? { ...domain, lease } : null;
};

type Checked = { id: DomainId; check: Check; at: Date };

function noted(domain: Domain, { check, at }: Checked): Domain {
  const { found, resolver, problem, error, outcome } = check;
  const now = at.toISOString();
  return {
    ...domain,
    lease: null,
    checkedAt: outcome === 'unclear' ? domain.checkedAt : now,
    lastCheck: { at: now, expected: recordValue(domain.token), found, resolver, problem, error },
  };
}

type WhyChecked = 'requested' | 'rechecked';

function failure({ id }: Pick<Checked, 'id'>, domain: Domain, because: ReasonOf<'domain.verification_failed'>) {
  const { details, ...target } = about(id, domain);
  const told = { ...details, problem: domain.lastCheck?.problem ?? null };
  return event('domain.verification_failed', { ...target, because, details: told });
}

/** What a check of the DNS makes of a domain. An unclear one changes nothing but is repeated soon. */
export function conclude(domain: Domain, checked: Checked, because: WhyChecked): NonNullable<Decision<Domain>> {
  const { id, check, at } = checked;
  const state = noted(domain, checked);
  if (check.outcome === 'present') {
    const { verifiedAt, status } = domain;
    const verified: Domain = {
      ...state,
      status: 'verified',
      expiresAt: null,
      failingSince: null,
      verifiedAt: status === 'verified' ? verifiedAt : at.toISOString(),
      nextCheckAt: later(at, dayMs),
    };
    const events = status === 'verified' ? [] : [event('domain.verified', { ...about(id, verified), because })];
    return { state: verified, events };
  }
  if (domain.status === 'pending') return { state, events: [failure(checked, state, because)] };
  const again: Domain = { ...state, nextCheckAt: later(at, hourMs) };
  if (check.outcome === 'unclear') return { state: again, events: [] };
  if (domain.status === 'failing') {
    const isOver = at.getTime() >= Date.parse(domain.failingSince ?? '') + graceMs;
    return isOver ? release(id, state, { at, because: 'proof_gone' }) : { state: again, events: [] };
  }
  const failing: Domain = { ...again, status: 'failing', failingSince: at.toISOString() };
  return { state: failing, events: [failure(checked, failing, because)] };
}

/** Its record is there, and so is that of another tenant, which has it already: then it stays with that one. */
export function refuse(domain: Domain, checked: Checked): NonNullable<Decision<Domain>> {
  const state = noted(domain, checked);
  const refused: Domain = { ...state, lastCheck: state.lastCheck && { ...state.lastCheck, problem: 'domain_taken' } };
  return { state: refused, events: [failure(checked, refused, 'requested')] };
}

/**
 * For whoever has a domain that another tenant has proven now: where the own proof is still there, its tenant is told,
 * once a day at most. Where it is not, the domain goes the way of every domain whose record is gone.
 */
export function contest(domain: Domain, checked: Checked): Decision<Domain> {
  const { id, check, at } = checked;
  const { state, events } = conclude(domain, checked, 'rechecked');
  if (check.outcome === 'absent' && domain.status === 'verified')
    return { state, events: [failure(checked, state, 'contested')] };
  if (check.outcome !== 'present') return { state, events };
  if (domain.contestedAt !== null && Date.parse(domain.contestedAt) + dayMs > at.getTime()) return { state, events };
  const told = event('domain.contested', { ...about(id, domain), because: 'proven_by_another' });
  return { state: { ...state, contestedAt: at.toISOString() }, events: [...events, told] };
}

type Release = { at: Date; because: ReasonOf<'domain.released'> };

export function release(id: DomainId, domain: Domain, { at, because }: Release): NonNullable<Decision<Domain>> {
  const { details, ...target } = about(id, domain);
  const told = { ...details, status: domain.status };
  return {
    state: { ...domain, lease: null, nextCheckAt: null, releasedAt: at.toISOString() },
    events: [event('domain.released', { ...target, because, details: told })],
  };
}
