// The rules over a real log: what raises an alert, what beside it does not, and that nothing is raised twice.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { AuditRecord } from '@reeve/audit-log';
import { emptyContext, type Id, type Message, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openPlaces, type Places } from '@reeve/service-kit/places';
import type { Clock, Store } from '@reeve/store';
import { openTestLog, sampleArrival, type TestLog } from '../audit.test-support.ts';
import { createChainWriter } from '../log/chain-writer.ts';
import type { Log } from '../log/log.ts';
import { type Alert, type Alerts, acknowledge, alerts as alertsOf } from './alert.ts';
import { createDetector } from './detector.ts';
import { kmBetween } from './distance.ts';
import { type AllRuleSettings, ruleSettings } from './rule-settings.ts';
import { type RuleId, ruleIds } from './rules.ts';

let opened: TestLog;
let store: Store;
let published: Message[];
let parts: Log & { alerts: Alerts; settings: AllRuleSettings };
let places: Places | null;
let tenantId: TenantId;
let offset = 0;
const began = Date.now() - 3_600_000;

beforeAll(async () => {
  opened = await openTestLog();
  ({ store, published } = opened);
  parts = { ...opened.log, alerts: store.collection(alertsOf), settings: store.collection(ruleSettings) };
  places = await openPlaces(fileURLToPath(new URL('fixture/places.mmdb', import.meta.url)));
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
});

type Happening = Partial<Omit<AuditRecord, 'time'>> & { type: string; atMinute: number };

const at = (minute: number) => new Date(began + minute * 60_000).toISOString();
const from = (ip: string) => ({ context: { ...emptyContext, ip } });

/** How far the clock of a detector has been moved. */
let aheadMs = 0;
const clock: Clock = { now: () => new Date(Date.now() + aheadMs), newEventId };

const detector = (changes: Partial<typeof parts> = {}) =>
  createDetector({
    ...parts,
    clock,
    ...changes,
    places: () => places,
    onError: error => {
      throw error;
    },
  });

/**
 * Whether one process sees all of a test's records, and has been there for days; otherwise each batch has a new one.
 */
let isLongRunning = false;
const runningFor = new Map<TenantId, ReturnType<typeof detector>>();

async function longRunning() {
  if (!isLongRunning) return null;
  const known = runningFor.get(tenantId);
  if (known) return known;
  const own = detector();
  runningFor.set(tenantId, own);
  offset += 1;
  const first = sampleArrival({ tenantId, chain: 'reeve.auth.v1/0', offset });
  aheadMs = -2 * 86_400_000;
  await own.examine(await createChainWriter(parts).append(tenantId, 'reeve.auth.v1/0', [first]));
  aheadMs = 0;
  return own;
}

/** Chains what happened and has it looked at unless `unseen`; each in a batch of its own unless `together`. */
async function happens(happenings: readonly Happening[], { together = false, unseen = false } = {}) {
  const writer = createChainWriter(parts);
  const looking = (await longRunning()) ?? detector();
  const arrivals = happenings.map(({ atMinute, ...changes }) => {
    offset += 1;
    return sampleArrival(
      { tenantId, chain: 'reeve.auth.v1/0', offset },
      { time: at(atMinute), details: {}, ...changes },
    );
  });
  for (const batch of together ? [arrivals] : arrivals.map(one => [one])) {
    const chained = await writer.append(tenantId, 'reeve.auth.v1/0', batch);
    if (!unseen) await looking.examine(chained);
  }
  return arrivals;
}

async function alerts(): Promise<(Alert & { id: string })[]> {
  const found = [];
  for await (const { id, state } of parts.alerts.in(tenantId).all('newest', {})) found.push({ id, ...state });
  return found;
}
const raisedRules = async () => (await alerts()).map(({ rule }) => rule).toSorted();

/** Somebody acknowledges the newest alert. */
async function seenTo(when: string): Promise<void> {
  const id = (await alerts())[0]?.id ?? '';
  const by = { type: 'user', id: 'u', name: null };
  const decide = (was: Alert | null) =>
    was && acknowledge({ tenantId, id: id as Id<'alert'> }, was, { by, note: null, at: when });
  const cause = serviceCause('test', { correlationId: 'c' });
  await parts.alerts.in(tenantId).change(id, decide, { cause });
}

const failure = (atMinute: number, ip = '203.0.113.9', identityId: string | null = null): Happening => ({
  type: 'sign_in.failed',
  atMinute,
  outcome: 'failure',
  details: { method: 'oidc', step: 'state', identityId },
  ...from(ip),
});
const signIn = (atMinute: number, userId: string, ip = '192.0.2.1', connectionId: string | null = null): Happening => ({
  type: 'sign_in.succeeded',
  atMinute,
  actor: { type: 'user', id: userId, name: null, via: 'session' },
  target: { type: 'user', id: userId, name: null },
  details: { userId, method: 'oidc', amr: [], acr: null },
  context: { ...emptyContext, ip, connectionId },
});
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

describe.each([
  ['a process that begins', false],
  ['a process that has been there for long', true],
])('by %s', (_, isLong) => {
  beforeEach(() => {
    isLongRunning = isLong;
  });

  describe('a burst', () => {
    test('of failed sign-ins from one address raises one alert, with the records that show it', async () => {
      await happens(times(9, n => failure(n / 10)));
      expect(await alerts()).toEqual([]);
      const [last] = await happens([failure(1)]);
      const [alert] = await alerts();
      expect(alert).toMatchObject({ rule: 'sign_in_failures_by_address', subject: '203.0.113.9', status: 'open' });
      expect(alert?.evidence).toHaveLength(10);
      expect(alert?.evidence[0]).toMatchObject({ eventId: last?.record.eventId, ip: '203.0.113.9' });
      expect(alert).toMatchObject({ firstAt: at(0), lastAt: at(1), summary: '10 failed sign-ins within 10 minutes' });
      // More of the same is added, and nobody is notified again.
      await happens(times(20, n => failure(3 + n / 10)));
      expect(await alerts()).toMatchObject([{ id: alert?.id }]);
      expect((await alerts())[0]?.evidence.length).toBeGreaterThan(10);
    });

    test('that comes in one batch is found as well, also where it is over when the batch ends', async () => {
      await happens([...times(12, n => failure(n / 10)), failure(40)], { together: true });
      expect(await raisedRules()).toEqual(['sign_in_failures_by_address']);
    });

    test('spread over too long a time, or over addresses, is none; over a tenant it is another rule', async () => {
      await happens(times(20, n => failure(n * 3)));
      await happens(
        times(49, n => failure(100, `198.51.100.${n}`)),
        { together: true },
      );
      expect(await alerts()).toEqual([]);
      await happens([failure(100.5, '198.51.100.99')]);
      expect(await raisedRules()).toEqual(['sign_in_failures_in_tenant']);
    });

    test('of one identity is found from whatever addresses it comes', async () => {
      await happens(times(5, n => failure(n, `198.51.100.${n}`, 'con_1/ada')));
      await happens(times(4, n => failure(n, `198.51.100.${n}`, 'con_1/ben')));
      expect(await alerts()).toMatchObject([{ rule: 'sign_in_failures_by_user', subject: 'con_1/ada' }]);
    });

    test('of refused webhooks counts what a record stands for, and only what is not signed as it should be', async () => {
      const refused = (atMinute: number, code: string, count?: number): Happening => ({
        type: 'delivery.rejected',
        atMinute,
        outcome: 'denied',
        reason: { code, rule: null, basis: null },
        details: { endpointId: 'whe_1', webhookId: null, bytes: 1, ...(count === undefined ? {} : { count }) },
      });
      await happens([
        ...times(30, n => refused(n / 10, 'content_type')),
        refused(4, 'signature'),
        refused(4.5, 'too_old'),
      ]);
      expect(await alerts()).toEqual([]);
      await happens([refused(5, 'signature', 18)]);
      expect(await alerts()).toMatchObject([{ rule: 'webhook_signature_failures', subject: 'whe_1' }]);
    });

    test('of consents to one connector', async () => {
      const consent = (n: number, installationId: string): Happening => ({
        type: 'consent.granted',
        atMinute: n,
        details: { installationId, userId: `usr_${n}`, scopes: [] },
      });
      await happens(times(19, n => consent(n, 'ins_1')));
      await happens(times(10, n => consent(n, 'ins_2')));
      expect(await alerts()).toEqual([]);
      await happens([consent(20, 'ins_1')]);
      expect(await alerts()).toMatchObject([{ rule: 'consent_spike', subject: 'ins_1' }]);
    });

    test('a single use of a used refresh token is enough', async () => {
      await happens([{ type: 'token.reuse_detected', atMinute: 1, details: { userId: 'usr_9' } }]);
      expect(await alerts()).toMatchObject([{ rule: 'refresh_token_reuse', severity: 'high', subject: 'usr_9' }]);
    });
  });

  describe('an alert', () => {
    test('is raised once, whatever is redelivered, and published with its evidence on both topics', async () => {
      const arrivals = await happens(times(10, n => failure(n / 10)));
      const writer = createChainWriter(parts);
      const again = await writer.append(tenantId, 'reeve.auth.v1/0', arrivals);
      expect(again).toHaveLength(10);
      await Promise.all([detector().examine(again), detector().examine(again)]);
      expect(await alerts()).toHaveLength(1);
      await new Promise(resolve => setTimeout(resolve, 200));
      const mine = published.filter(({ event }) => event.tenantId === tenantId);
      expect(mine.map(({ topic, event }) => `${topic} ${event.type}`).toSorted()).toEqual([
        'reeve.activity.v1 alert.raised',
        'reeve.alert.v1 alert.raised',
      ]);
      const finding = mine.find(({ topic }) => topic === 'reeve.alert.v1')?.event.data as Uint8Array;
      expect(JSON.parse(Buffer.from(finding).toString())).toMatchObject({
        class_uid: 2004,
        is_alert: true,
        severity_id: 3,
        finding_info: { types: ['sign_in_failures_by_address'], related_events: expect.any(Array) },
      });
    });

    test('that was acknowledged is raised anew by new evidence alone', async () => {
      await happens(times(10, n => failure(n / 10)));
      await seenTo(at(1.5));
      await happens(times(5, n => failure(2 + n / 10)));
      expect(await alerts()).toHaveLength(1);
      await happens(times(5, n => failure(3 + n / 10)));
      expect(await alerts()).toMatchObject([{ status: 'open', firstAt: at(2) }, { status: 'acknowledged' }]);
    });

    test('belongs to its tenant: what happens in two does not add up', async () => {
      const [one, other] = [newId('tenant'), newId('tenant')];
      for (const owner of [one, other, one, other]) {
        tenantId = owner;
        await happens(times(4, n => failure(n / 10)));
      }
      for (const owner of [one, other]) {
        tenantId = owner;
        expect(await alerts()).toEqual([]);
      }
    });
  });

  describe('whoever would hide', () => {
    test('in the same minute, or out of order, is found', async () => {
      await happens(times(9, n => failure(1 + n / 20)));
      // Its time is a little before those that came earlier.
      await happens([failure(0.99)]);
      expect(await raisedRules()).toEqual(['sign_in_failures_by_address']);
      tenantId = newId('tenant');
      await happens([signIn(0, 'usr_a', '192.0.2.1')]);
      await happens([signIn(40, 'usr_a', '198.51.100.1'), signIn(40.1, 'usr_a', '198.51.100.1')], { together: true });
      expect(await raisedRules()).toEqual(['impossible_travel']);
      tenantId = newId('tenant');
      await happens([signIn(40.2, 'usr_a', '198.51.100.1'), signIn(40, 'usr_a', '192.0.2.1')]);
      expect(await raisedRules()).toEqual(['impossible_travel']);
    });

    test('behind many addresses of one network, or makes alerts without end, raises few', async () => {
      await happens(times(10, n => failure(n / 10, `2001:db8:7:1::${(n + 1).toString(16)}`)));
      expect(await alerts()).toMatchObject([{ subject: '2001:db8:7:1::/64' }]);
      tenantId = newId('tenant');
      const everywhere = times(30, address =>
        times(10, n => failure(address / 100 + n / 1_000, `203.0.113.${address}`)),
      );
      await happens(everywhere.flat(), { together: true });
      const found = (await alerts()).filter(({ rule }) => rule === 'sign_in_failures_by_address');
      expect(found.length).toBeGreaterThanOrEqual(20);
      expect(found.length).toBeLessThanOrEqual(28);
      expect(found.filter(({ subject }) => subject === '*')).toMatchObject([
        { summary: expect.stringContaining('more than 20 alerts within an hour') },
      ]);
    });

    test('behind a clock that is ahead does not silence a rule', async () => {
      await happens(times(10, n => failure(525_600 + n / 10)));
      await seenTo(at(0));
      await happens(times(12, n => failure(70 + n / 10)));
      expect(await alerts()).toHaveLength(2);
    });

    test('by failures through a connection does not hide that it was changed', async () => {
      const changed = (atMinute: number, issuer: string): Happening => ({
        type: 'connection.activated',
        atMinute,
        target: { type: 'connection', id: 'con_1', name: null },
        details: { kind: 'oidc', issuer },
      });
      const noise = times(220, n => {
        const one = failure(-50 + n / 5, `198.51.${n}.1`);
        return { ...one, context: { ...emptyContext, ip: `198.51.${n}.1`, connectionId: 'con_1' } };
      });
      const history = [changed(-90_000, 'https://idp.example'), signIn(-80_000, 'usr_1', '192.0.2.1', 'con_1')];
      await happens([...history, changed(-60, 'https://evil.example'), ...noise], { unseen: true, together: true });
      await happens([signIn(0, 'usr_1', '192.0.2.1', 'con_1')]);
      expect(await raisedRules()).toEqual(['sso_changed_then_new_issuer']);
    });

    test('has to wait until the store answers: what could not be looked at comes again', async () => {
      const gone = Object.assign(new Error('gone'), { name: 'MongoNotConnectedError' });
      const list = () => Promise.reject(gone);
      const broken = {
        ...parts.alerts,
        in: (of: TenantId) => ({ ...parts.alerts.in(of), list }),
      } as typeof parts.alerts;
      const reuse = sampleArrival(
        { tenantId, chain: 'reeve.auth.v1/0', offset: 1e6 },
        { type: 'token.reuse_detected' },
      );
      const chained = await createChainWriter(parts).append(tenantId, 'reeve.auth.v1/0', [reuse]);
      await expect(detector({ alerts: broken }).examine(chained)).rejects.toBe(gone);
      await detector().examine(chained);
      expect(await raisedRules()).toEqual(['refresh_token_reuse']);
    });
  });

  describe('what a tenant set', () => {
    test('counts for it: other thresholds, and none at all', async () => {
      const set = (id: RuleId, settings: { enabled: boolean; thresholds: Record<string, number> }) =>
        parts.settings.in(tenantId).put(id, settings);
      await set('sign_in_failures_by_address', { enabled: true, thresholds: { count: 3 } });
      await happens(times(3, n => failure(n)));
      expect(await raisedRules()).toEqual(['sign_in_failures_by_address']);
      tenantId = newId('tenant');
      for (const id of ruleIds) await set(id, { enabled: false, thresholds: {} });
      await happens(
        times(60, n => failure(n / 10)),
        { together: true },
      );
      expect(await alerts()).toEqual([]);
    });
  });

  describe('impossible travel', () => {
    test('knows how far places are', () => {
      const [berlin, sydney] = [places?.locate('192.0.2.1'), places?.locate('198.51.100.1')];
      if (!berlin || !sydney) throw new Error('the database has no such place');
      expect(Math.round(kmBetween(berlin, sydney) / 100)).toBe(161);
      expect(places?.locate('2001:db8:1::7')).toMatchObject({ name: 'Lima' });
      for (const nowhere of [null, '', 'unknown', '203.0.113.1', '192.0.2.1:80', '999.1.1.1'])
        expect(places?.locate(nowhere)).toBeNull();
    });

    test('is a sign-in from too far away too soon, and not one that could be', async () => {
      await happens([
        signIn(0, 'usr_a', '192.0.2.1'),
        signIn(30, 'usr_a', '192.0.2.200'),
        signIn(40, 'usr_b', '198.51.100.1'),
      ]);
      expect(await alerts()).toEqual([]);
      await happens([signIn(45, 'usr_a', '198.51.100.1')]);
      const [alert] = await alerts();
      expect(alert).toMatchObject({
        rule: 'impossible_travel',
        subject: 'usr_a',
        evidence: [{ ip: '198.51.100.1' }, { ip: '192.0.2.200' }],
      });
      expect(alert?.summary).toMatch(/^Potsdam, then Sydney: \d{5} km in 0\.3 hours$/);
      tenantId = newId('tenant');
      await happens([signIn(-1_440, 'usr_a', '192.0.2.1'), signIn(45, 'usr_a', '198.51.100.1')]);
      expect(await alerts()).toEqual([]);
    });

    test('is not looked for without a database', async () => {
      const kept = places;
      places = null;
      await happens([signIn(0, 'usr_a', '192.0.2.1'), signIn(5, 'usr_a', '198.51.100.1')]);
      places = kept;
      expect(await alerts()).toEqual([]);
    });
  });

  const days = (count: number) => -count * 1_440;

  describe('a dormant administrator', () => {
    const role = (atMinute: number, userId: string, type = 'role.assigned'): Happening => ({
      type,
      atMinute,
      target: { type: 'user', id: userId, name: null },
      details: { userId, role: 'tenant_admin' },
    });

    test('who is back raises an alert; one who was never away, is no longer one, or never was, is not', async () => {
      const history = [
        role(days(400), 'usr_admin'),
        signIn(days(100), 'usr_admin'),
        role(days(400), 'usr_busy'),
        signIn(days(3), 'usr_busy'),
        role(days(400), 'usr_former'),
        role(days(50), 'usr_former', 'role.unassigned'),
        signIn(days(100), 'usr_member'),
        role(days(2), 'usr_new'),
        role(days(200), 'usr_never'),
      ];
      await happens(history, { unseen: true });
      for (const name of ['admin', 'busy', 'former', 'member', 'new', 'never'])
        await happens([signIn(0, `usr_${name}`)]);
      const found = await alerts();
      expect(found).toMatchObject([{ subject: 'usr_never' }, { subject: 'usr_admin', rule: 'dormant_admin_active' }]);
      expect(found.map(({ summary }) => summary)).toEqual([
        `an administrator since ${at(days(200))}, never signed in`,
        `no sign-in since ${at(days(100))}`,
      ]);
    });
  });

  describe('token material', () => {
    const lease = (atMinute: number, clientId: string): Happening => ({
      type: 'delegated_token.leased',
      atMinute,
      actor: { type: 'client', id: clientId, name: null, via: 'client' },
      details: { installationId: 'ins_1', requestedScopes: [], grantedScopes: [] },
    });

    test('read by a client that never did raises an alert, once others usually do', async () => {
      await happens([lease(-50, 'cli_a'), lease(-49, 'cli_b')]);
      expect(await alerts()).toEqual([]);
      await happens(times(20, n => lease(-40 + n, 'cli_a')));
      expect(await alerts()).toEqual([]);
      await happens([lease(0, 'cli_b'), lease(1, 'cli_c'), lease(3, 'cli_c')]);
      expect(await alerts()).toMatchObject([{ rule: 'token_new_reader', subject: 'cli_c' }]);
    });

    test('read very often', async () => {
      await happens(
        times(199, n => lease(n / 100, 'cli_a')),
        { together: true },
      );
      expect(await alerts()).toEqual([]);
      await happens([lease(3, 'cli_a')]);
      expect(await raisedRules()).toEqual(['token_reads_burst']);
    });
  });

  describe('SSO', () => {
    const connection = (atMinute: number, id: string, issuer: string, type = 'connection.activated'): Happening => ({
      type,
      atMinute,
      target: { type: 'connection', id, name: null },
      details: { kind: 'oidc', issuer },
    });

    test('that was changed to a new issuer, by which somebody then signs in', async () => {
      await happens([
        connection(days(30), 'con_1', 'https://idp.example'),
        signIn(days(29), 'usr_1', '192.0.2.1', 'con_1'),
      ]);
      await happens([
        connection(-60, 'con_1', 'https://idp.example', 'connection.updated'),
        signIn(-50, 'usr_1', '192.0.2.1', 'con_1'),
      ]);
      expect(await alerts()).toEqual([]);
      await happens([connection(-40, 'con_2', 'https://evil.example'), signIn(-30, 'usr_2', '192.0.2.1', 'con_1')]);
      expect(await alerts()).toEqual([]);
      await happens([signIn(-20, 'usr_1', '192.0.2.1', 'con_2')]);
      const [alert] = await alerts();
      expect(alert).toMatchObject({ rule: 'sso_changed_then_new_issuer', severity: 'critical', subject: 'con_2' });
      expect(alert?.summary).toContain('https://evil.example');
      expect(alert?.evidence.map(({ type }) => type)).toEqual(['sign_in.succeeded', 'connection.activated']);
    });

    test('that was rolled back to an issuer by which nobody ever came', async () => {
      await happens([
        connection(days(30), 'con_1', 'https://idp.example'),
        signIn(days(29), 'usr_1', '192.0.2.1', 'con_1'),
      ]);
      await happens([
        connection(-60, 'con_1', 'https://evil.example', 'connection.rolled_back'),
        signIn(-50, 'usr_1', '192.0.2.1', 'con_1'),
      ]);
      expect((await alerts())[0]).toMatchObject({ rule: 'sso_changed_then_new_issuer', subject: 'con_1' });
    });

    test('of a tenant that had none before raises none', async () => {
      await happens([connection(-60, 'con_1', 'https://idp.example'), signIn(-50, 'usr_1', '192.0.2.1', 'con_1')]);
      expect(await alerts()).toEqual([]);
    });
  });
});

describe('an ordinary sign-in', () => {
  const person = () => newId('user');
  const connectionId = newId('connection');
  const signInsOf = (users: string[]) => users.map((user, n) => signIn(n / 100, user, '192.0.2.1', connectionId));
  const setUp = (): Happening[] => [
    {
      type: 'connection.created',
      atMinute: -1,
      target: { type: 'connection', id: connectionId, name: null },
      details: { kind: 'oidc', issuer: 'https://idp.example' },
    },
    madeAdmin(person()),
  ];
  const madeAdmin = (userId: string): Happening => ({
    type: 'role.assigned',
    atMinute: 0,
    target: { type: 'user', id: userId, name: null },
    details: { userId, role: 'tenant_admin' },
  });

  async function chained(happenings: readonly Happening[]) {
    const arrivals = happenings.map(({ atMinute, ...changes }) => {
      offset += 1;
      const of = { tenantId, chain: 'reeve.auth.v1/0', offset };
      return sampleArrival(of, { time: at(atMinute), details: {}, ...changes });
    });
    return createChainWriter(parts).append(tenantId, 'reeve.auth.v1/0', arrivals);
  }

  test('costs no operation of the store for alert rules, also of people that were never there before', async () => {
    const commands: string[] = [];
    const watched = await openTestLog({
      of: opened,
      onCommand: ({ commandName, command }) => {
        // What publishes asks as well, but names no tenant.
        if (JSON.stringify(command).includes(tenantId)) commands.push(`${commandName} ${command[commandName]}`);
      },
    });
    const { store: own, log } = watched;
    const watching = detector({ ...log, alerts: own.collection(alertsOf), settings: own.collection(ruleSettings) });
    places = null;
    await watching.examine(await chained(setUp()));
    // What is known of the tenant and its connection is read once.
    await watching.examine(await chained(signInsOf([person()])));
    expect(commands.length).toBeLessThanOrEqual(8);
    commands.length = 0;
    for (let n = 0; n < 20; n += 1) await watching.examine(await chained(signInsOf([person(), person(), person()])));
    expect(commands).toEqual([]);
    // The positive control: an administrator's is looked into.
    const admin = person();
    await watching.examine(await chained([madeAdmin(admin)]));
    await watching.examine(await chained(signInsOf([admin])));
    expect(commands.length).toBeGreaterThan(0);
    await own.close();
  });
});
