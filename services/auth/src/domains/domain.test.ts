import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import {
  askForCheck,
  claim,
  conclude,
  contest,
  type Domain,
  domains,
  graceMs,
  isContradictory,
  loseConnection,
  refuse,
  release,
  take,
  update,
  viewOf,
} from './domain.ts';
import type { Check } from './proof.ts';

const id = newId('domain');
const began = new Date('2026-11-26T12:00:00.000Z');
const hours = (count: number) => new Date(began.getTime() + count * 3_600_000);
const settings = { policy: 'offered', connectionId: null, breakGlass: [] as string[] } as const;
const claimed = claim(id, { ...settings, name: 'acme.example', token: 'abc' }, began).state;

const answer = (outcome: Check['outcome'], problem: Check['problem']): Check => ({
  outcome,
  problem,
  found: [],
  resolver: '192.0.2.1',
  error: null,
});
const present = answer('present', null);
const absent = answer('absent', 'record_missing');
const unclear = answer('unclear', 'dns_failed');
const seen = (domain: Domain, check: Check, at: Date) => conclude(domain, { id, check, at }, 'rechecked');
const told = (decision: Decision<Domain>) => decision?.events.map(({ type }) => type);

const verified = seen(claimed, present, began).state;
const failing = seen(verified, absent, hours(24)).state;
const holderKey = (domain: Domain) => domains.globallyUnique?.['holder']?.(domain, id);
const tenantKey = (domain: Domain) => domains.unique?.['name']?.(domain, id);

describe('a claim', () => {
  test('says which record has to be made, and ends after seven days', () => {
    const { record, status, expiresAt } = viewOf({ id, version: 1, state: claimed, changedAt: began });
    expect(record).toEqual({ name: '_reeve-challenge.acme.example', type: 'TXT', value: 'token=abc', ttl: 300 });
    expect([status, expiresAt]).toEqual(['pending', '2026-12-03T12:00:00.000Z']);
    expect(domains.expiresAt?.(claimed)).toEqual(hours(7 * 24));
  });

  test('reserves nothing against other tenants, and is looked at by nobody of itself', () => {
    expect(holderKey(claimed)).toBeNull();
    expect(tenantKey(claimed)).toBe('acme.example');
    expect(domains.dueAt?.(claimed)).toBeNull();
    expect(take(claimed, { holder: 'a', now: began, forMs: 1 })).toBeNull();
  });

  test('whose record is not found stays one, and says what was expected, found, and where', () => {
    const check: Check = { ...answer('absent', 'record_differs'), found: ['token=old'] };
    const tried = seen(claimed, check, hours(1));
    expect(tried.state).toMatchObject({
      status: 'pending',
      expiresAt: claimed.expiresAt,
      lastCheck: { expected: 'token=abc', found: ['token=old'], resolver: '192.0.2.1', problem: 'record_differs' },
    });
    expect(tried.events).toMatchObject([
      { type: 'domain.verification_failed', details: { domain: 'acme.example', problem: 'record_differs' } },
    ]);
    expect(JSON.stringify(tried.events)).not.toContain('abc');
  });

  test('that is proven is its tenant’s, and does not end', () => {
    expect(told(seen(claimed, present, hours(1)))).toEqual(['domain.verified']);
    expect(verified).toMatchObject({ status: 'verified', expiresAt: null, verifiedAt: began.toISOString() });
    expect(holderKey(verified)).toBe('acme.example');
    expect(domains.expiresAt?.(verified)).toBeNull();
  });

  test('that another tenant was faster to prove stays one, and says so', () => {
    const refused = refuse(claimed, { id, check: present, at: hours(1) });
    expect(refused.state).toMatchObject({ status: 'pending', lastCheck: { problem: 'domain_taken' } });
    expect(refused.events).toMatchObject([{ details: { problem: 'domain_taken' } }]);
  });
});

describe('a domain that is verified', () => {
  test('is looked at again after a day, and nobody is told of what has not changed', () => {
    expect(domains.dueAt?.(verified)).toEqual(hours(24));
    const again = seen(verified, present, hours(24));
    expect(again.state).toMatchObject({ verifiedAt: verified.verifiedAt, checkedAt: hours(24).toISOString() });
    expect([again.events, domains.dueAt?.(again.state)]).toEqual([[], hours(48)]);
  });

  test('whose record is gone is failing, still its tenant’s, and looked at each hour', () => {
    expect(failing).toMatchObject({ status: 'failing', failingSince: hours(24).toISOString() });
    expect(told(seen(verified, absent, hours(24)))).toEqual(['domain.verification_failed']);
    expect(holderKey(failing)).toBe('acme.example');
    expect(domains.dueAt?.(failing)).toEqual(hours(25));
  });

  test('whose name servers do not answer is not failing: silence is no absence', () => {
    const unseen = seen(verified, unclear, hours(24));
    expect(unseen.state).toMatchObject({ status: 'verified', checkedAt: verified.checkedAt });
    expect(unseen.state.lastCheck?.problem).toBe('dns_failed');
    expect([unseen.events, domains.dueAt?.(unseen.state)]).toEqual([[], hours(25)]);
  });

  test('is done by one process at a time', () => {
    const by = (holder: string, at: Date) => ({ holder, now: at, forMs: 60_000 });
    const taken = take(verified, by('a', hours(24)));
    expect(taken && domains.dueAt?.(taken)).toEqual(new Date(hours(24).getTime() + 60_000));
    expect(taken && take(taken, by('b', hours(24)))).toBeNull();
    expect(taken && take(taken, by('b', hours(25)))).not.toBeNull();
  });
});

describe('a domain that is failing', () => {
  test('whose record comes back is verified again', () => {
    const back = seen(failing, present, hours(48));
    expect(back.state).toMatchObject({ status: 'verified', failingSince: null });
    expect(told(back)).toEqual(['domain.verified']);
  });

  test('is given up when the record is still gone after 72 hours, and not before', () => {
    const over = 24 + graceMs / 3_600_000;
    const shortly = new Date(hours(over).getTime() - 1);
    expect(seen(failing, absent, shortly)).toMatchObject({ state: { status: 'failing' }, events: [] });
    const lost = seen(failing, absent, hours(over));
    expect(lost.events).toMatchObject([{ type: 'domain.released', reason: { code: 'proof_gone' } }]);
    expect([holderKey(lost.state), tenantKey(lost.state), domains.dueAt?.(lost.state)]).toEqual([null, null, null]);
    expect(domains.expiresAt?.(lost.state)).toEqual(hours(over));
  });

  test('is not given up as long as nobody can look', () => {
    expect(seen(failing, unclear, hours(1_000))).toMatchObject({ state: { status: 'failing' }, events: [] });
  });
});

describe('a domain that another tenant has proven', () => {
  const contested = (domain: Domain, check: Check, at: Date) => contest(domain, { id, check, at });

  test('stays where it is as long as the own proof is there, and its tenant is told once a day', () => {
    const first = contested(verified, present, hours(1));
    expect([first?.state.status, told(first)]).toEqual(['verified', ['domain.contested']]);
    const state = first?.state ?? verified;
    expect(told(contested(state, present, hours(2)))).toEqual([]);
    expect(told(contested(state, present, hours(26)))).toEqual(['domain.contested']);
  });

  test('is failing from that moment when the own proof is gone, and has its grace', () => {
    const first = contested(verified, absent, hours(1));
    expect(first).toMatchObject({
      state: { status: 'failing', failingSince: hours(1).toISOString() },
      events: [{ type: 'domain.verification_failed', reason: { code: 'contested' } }],
    });
    const state = first?.state ?? verified;
    expect(contested(state, absent, hours(72))).toMatchObject({ state: { status: 'failing' }, events: [] });
    expect(told(contested(state, absent, hours(73)))).toEqual(['domain.released']);
  });

  test('stays where it is when nobody can look', () => {
    expect(contested(verified, unclear, hours(1))).toMatchObject({ state: { status: 'verified' }, events: [] });
  });
});

describe('whoever asks for a check', () => {
  const asked = askForCheck(claimed, began, true).state;

  test('asks once in five seconds', () => {
    expect(() => askForCheck(asked, new Date(began.getTime() + 4_001), true)).toThrow(
      expect.objectContaining({ code: 'rate_limited', retryAfterSeconds: 1 }),
    );
    expect(askForCheck(asked, new Date(began.getTime() + 5_000), true).state.askedAt).not.toBe(asked.askedAt);
  });

  test('asks as often as they like where limits are lifted', () => {
    expect(askForCheck(asked, began, false).events).toEqual([]);
  });
});

describe('what is asked of people', () => {
  test('changes on the record, and not to what it is', () => {
    const changed = update(id, verified, { policy: 'enforced', connectionId: 'con_1' });
    expect(changed?.events).toMatchObject([
      { type: 'domain.updated', details: { policy: 'enforced', changed: ['policy', 'connectionId'] } },
    ]);
    expect(update(id, verified, settings)).toBeNull();
  });

  test('is not to sign in by a connection that is not said', () => {
    expect(isContradictory({ policy: 'enforced', connectionId: null })).toBe(true);
    expect(isContradictory({ policy: 'enforced', connectionId: 'con_1' })).toBe(false);
    expect(isContradictory(settings)).toBe(false);
  });

  test('is not loosened by the deletion of the connection', () => {
    const enforced: Domain = { ...verified, policy: 'enforced', connectionId: 'con_1' };
    expect(loseConnection(id, enforced, 'con_1')).toMatchObject({
      state: { policy: 'enforced', connectionId: null },
      events: [{ type: 'domain.updated', reason: { code: 'connection_deleted' } }],
    });
    expect(loseConnection(id, enforced, 'con_2')).toBeNull();
  });
});

test('a release says what it was, and a claim after it has nothing of it', () => {
  const released = release(
    id,
    { ...verified, policy: 'enforced', connectionId: 'con_1' },
    {
      at: hours(1),
      because: 'requested',
    },
  );
  expect(released.events).toMatchObject([{ type: 'domain.released', details: { status: 'verified' } }]);
  expect([holderKey(released.state), tenantKey(released.state)]).toEqual([null, null]);
});
