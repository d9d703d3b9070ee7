// Proofs that are looked at again, over a real store and a real name server, with a clock that the test moves.
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { type Clock, openStore, type Store } from '@reeve/store';
import { engines, eventually, type NameServer, startNameServer } from '@reeve/testing';
import { claim, conclude, type Domain, type Domains, domains as domainsOf } from './domain.ts';
import { createDomainDirectory, type DomainDirectory } from './domain-directory.ts';
import { createTxtLookup } from './look-up-txt.ts';
import { newToken, recordName, recordValue } from './proof.ts';
import { createProofChecks, type ProofChecks } from './proof-checks.ts';
import { recheckDomains } from './recheck-domains.ts';

let dns: NameServer;
let store: Store;
let domains: Domains;
let directory: DomainDirectory;
let checks: ProofChecks;
let tenantId: TenantId;
let name: string;
let aheadMs = 0;
const clock: Clock = { now: () => new Date(Date.now() + aheadMs), newEventId };
const hour = 3_600_000;
const cause = serviceCause('test', { correlationId: newEventId() });
const running: { stop(): Promise<void> }[] = [];
const errors: unknown[] = [];

beforeAll(async () => {
  dns = await startNameServer();
  const database = `domains_${randomUUID().slice(0, 8)}`;
  store = openStore({
    uri: engines().mongodb,
    database,
    source: '/test',
    contents: { collections: [domainsOf] },
    clock,
  });
  await store.prepare();
  domains = store.collection(domainsOf);
});
beforeEach(() => {
  tenantId = newId('tenant');
  name = `${randomUUID()}.example`;
  aheadMs = 0;
  directory = createDomainDirectory({ domains });
  checks = createProofChecks({ domains, directory, lookUpTxt: createTxtLookup([dns.address]), clock });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(one => one.stop()));
  expect(errors.splice(0)).toEqual([]);
});
afterAll(async () => {
  await store.close();
  await dns.stop();
});

function startRechecking(with_: Partial<Parameters<typeof recheckDomains>[0]> = {}) {
  const parts = {
    domains,
    directory,
    checks,
    clock,
    everyMs: 50,
    onError: (error: unknown) => void errors.push(error),
  };
  const rechecking = recheckDomains({ ...parts, ...with_ });
  running.push(rechecking);
  rechecking.start();
}

const publish = (token: string) => dns.says(recordName(name), { txt: [recordValue(token)] });

async function claimed(of = tenantId): Promise<{ id: Id<'domain'>; token: string }> {
  const id = newId('domain');
  const token = newToken();
  await domains
    .in(of)
    .create(id, claim(id, { name, token, policy: 'offered', connectionId: null, breakGlass: [] }, clock.now()), cause);
  return { id, token };
}

/** Claimed, published and proven. */
async function held(of = tenantId) {
  const { id, token } = await claimed(of);
  publish(token);
  const check = await checks.check({ name, token });
  const decide = (was: Domain | null) => was && conclude(was, { id, check, at: clock.now() }, 'requested');
  await domains.in(of).change(id, decide, { cause });
  directory.forget(name);
  return { id, token };
}

const stateOf = async (id: string, of = tenantId) => (await domains.in(of).get(id))?.state ?? null;
const until = (id: string, what: string, holds: (state: Domain | null) => boolean) =>
  eventually(what, async () => holds(await stateOf(id)));
const statusIs = (status: string) => (state: Domain | null) => state?.status === status;
const asked = () => dns.asked.filter(one => one.name === recordName(name)).length;

test('a record that is gone makes a domain failing, and after the grace it is nobody’s', async () => {
  const { id } = await held();
  startRechecking();
  aheadMs = 23 * hour;
  dns.says(recordName(name), 'nxdomain');
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(await stateOf(id)).toMatchObject({ status: 'verified' });
  aheadMs = 25 * hour;
  await until(id, 'it is failing', statusIs('failing'));
  expect(await directory.holderNow(name)).toMatchObject({ tenantId, domainId: id, status: 'failing' });
  aheadMs = (25 + 71) * hour;
  const before = asked();
  await eventually('it is looked at each hour', () => asked() > before);
  expect(await directory.holderNow(name)).toMatchObject({ status: 'failing' });
  aheadMs = (25 + 73) * hour;
  await until(id, 'it is released', state => state === null);
  expect(await directory.holderNow(name)).toBeNull();
}, 30_000);

test('a record that comes back within the grace makes it verified again', async () => {
  const { id, token } = await held();
  dns.says(recordName(name), { txt: ['token=another'] });
  startRechecking();
  aheadMs = 25 * hour;
  await until(id, 'it is failing', statusIs('failing'));
  expect((await stateOf(id))?.lastCheck).toMatchObject({ found: ['token=another'], problem: 'record_differs' });
  publish(token);
  aheadMs = 27 * hour;
  await until(id, 'it is verified', statusIs('verified'));
  aheadMs = 27 * hour + 73 * hour;
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(await stateOf(id)).toMatchObject({ status: 'verified', failingSince: null });
}, 30_000);

test('a record that has expired meanwhile is gone; one that expires later is not', async () => {
  const { id, token } = await held();
  const expiry = (atMs: number) => new Date(Date.now() + atMs).toISOString();
  dns.says(recordName(name), { txt: [`token=${token} expiry=${expiry(48 * hour)}`] });
  startRechecking();
  aheadMs = 25 * hour;
  await until(id, 'it was looked at', state => (state?.checkedAt ?? '') > expiry(24 * hour));
  expect(await stateOf(id)).toMatchObject({ status: 'verified' });
  aheadMs = 50 * hour;
  await until(id, 'it is failing', statusIs('failing'));
  expect((await stateOf(id))?.lastCheck?.problem).toBe('record_expired');
}, 30_000);

test.each(['servfail', 'refused', 'silence'] as const)(
  '%s is no absence, however long it lasts',
  async failure => {
    const { id } = await held();
    dns.says(recordName(name), failure);
    startRechecking();
    for (const at of [25, 27, 400]) {
      aheadMs = at * hour;
      const since = new Date(Date.now() + (at - 1) * hour).toISOString();
      await until(id, `a look after ${at} hours`, state => (state?.lastCheck?.at ?? '') > since);
      expect(await stateOf(id)).toMatchObject({ status: 'verified', lastCheck: { problem: 'dns_failed' } });
    }
    expect(await directory.holderNow(name)).toMatchObject({ tenantId });
  },
  40_000,
);

test('two processes look once, and what one that is lost has taken is looked at by the other', async () => {
  const { id } = await held();
  aheadMs = 25 * hour;
  const lost = Promise.withResolvers<never>();
  const stuck = createProofChecks({ domains, directory, lookUpTxt: () => lost.promise, clock });
  startRechecking({ checks: stuck });
  await until(id, 'it is taken', state => state?.lease !== null);
  startRechecking();
  const before = asked();
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(asked()).toBe(before);
  aheadMs += 61_000;
  const since = new Date(Date.now() + 24 * hour).toISOString();
  await until(id, 'the other one has looked', state => (state?.checkedAt ?? '') > since);
  expect(asked()).toBe(before + 1);
  lost.reject(new Error('it comes back'));
  await eventually('the lost one has ended', () => errors.splice(0).length > 0);
}, 30_000);

test('whoever proves what another tenant has gets it when the holder’s grace is over, and not before', async () => {
  const other = newId('tenant');
  const holder = await held();
  const { id, token } = await claimed(other);
  expect(await directory.holderNow(name)).toMatchObject({ tenantId });
  const tries = async () => {
    await checks.challengeHolder(name, other);
    const check = await checks.check({ name, token });
    const decide = (was: Domain | null) => was && conclude(was, { id, check, at: clock.now() }, 'requested');
    return domains
      .in(other)
      .change(id, decide, { cause })
      .then(
        entry => entry?.state.status ?? null,
        (error: Error) => error.name,
      );
  };
  dns.says(recordName(name), { txt: [recordValue(holder.token), recordValue(token)] });
  expect([await tries(), (await stateOf(holder.id))?.status]).toEqual(['DuplicateKeyError', 'verified']);
  publish(token);
  expect([await tries(), (await stateOf(holder.id))?.status]).toEqual(['DuplicateKeyError', 'failing']);
  aheadMs = 71 * hour;
  expect([await tries(), (await stateOf(holder.id))?.status]).toEqual(['DuplicateKeyError', 'failing']);
  aheadMs = 73 * hour;
  expect([await tries(), await stateOf(holder.id)]).toEqual(['verified', null]);
  expect(await directory.holderOf(name)).toMatchObject({ tenantId: other, policy: 'offered', connectionId: null });
});

test('a claim that nobody has proven ends after seven days, and frees its name in the tenant', async () => {
  const { id } = await claimed();
  expect(await directory.holderNow(name)).toBeNull();
  aheadMs = 167 * hour;
  expect(await stateOf(id)).toMatchObject({ status: 'pending' });
  aheadMs = 169 * hour;
  expect(await stateOf(id)).toBeNull();
  const again = await claimed();
  expect(await stateOf(again.id)).toMatchObject({ status: 'pending' });
});
