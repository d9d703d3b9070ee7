// Searching the log: filters against the same filters by hand, pages while events arrive, views, timelines,
// explanations, and that reading is recorded.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newEventId } from '@reeve/contracts';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { type AuditEvent, logWith } from '../support/audit.ts';
import { reeve } from '../support/cli.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
type Page = { items: AuditEvent[]; nextCursor: string | null };
type Explanation = { summary: string[]; decision: Record<string, unknown> } & Record<
  'session' | 'signIn' | 'client',
  AuditEvent | null
> &
  Record<'memberships' | 'causes', AuditEvent[]>;

let own: TestTenant;
let audit: string;
let users: string;
let log: AuditEvent[];

beforeAll(async () => {
  own = await freshTenant(credentials, 'search');
  audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
  users = `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;
  const app = await registerProductApp(own.api, credentials, own.tenant);
  await signIn(app, own.tenant, demoUser(credentials));
  await own.api.post(users, { email: 'jean-luc@example.org', displayName: 'Zoë "quotes" van Dyck' });
  await own.api.post(users, { email: 'other@example.org', displayName: 'van der Dyck' });
  // What is told on several topics does not come in the order in which it happened.
  const ofSignIn = ['session.created', 'sign_in.succeeded', 'secret.accessed'];
  log = await logWith(
    { ...own, credentials },
    found =>
      ofSignIn.every(wanted => found.some(({ type }) => type === wanted)) &&
      found.filter(({ type }) => type === 'user.created').length === 3,
    'a sign-in and two users',
  );
}, 60_000);

const search = (query: Record<string, string>) => own.api.get<Page>(`${audit}/events?${new URLSearchParams(query)}`);
const idsOf = (events: readonly AuditEvent[]) => events.map(({ eventId }) => eventId).toSorted();
const one = (type: string) => log.find(event => event.type === type) as AuditEvent;

describe('filters', () => {
  const by: Record<string, (event: AuditEvent) => string | null> = {
    type: event => event.type,
    actor: event => event.actor.id,
    target: event => event.target.id,
    outcome: event => event.outcome,
    ip: event => event.context.ip,
    session: event => event.context.sessionId,
    correlation: event => event.correlationId,
  };

  test('find what the same filters find by hand, alone and in pairs', async () => {
    const to =
      log
        .map(({ time }) => time)
        .toSorted()
        .at(-1) ?? '';
    for (const sample of [one('session.created'), one('user.created'), one('sign_in.succeeded')])
      for (const first of Object.keys(by))
        for (const second of Object.keys(by)) {
          const [given, other] = [by[first]?.(sample), by[second]?.(sample)];
          if (given === null || given === undefined || other === null || other === undefined) continue;
          const { items } = await search({ [first]: given, [second]: other, to, limit: '200' });
          const expected = log.filter(
            event => by[first]?.(event) === given && by[second]?.(event) === other && event.time <= to,
          );
          expect([first, second, idsOf(items)]).toEqual([first, second, idsOf(expected)]);
        }
  }, 30_000);

  test.each([
    ['ZOË', 1],
    ['van dyck', 1],
    ['dyck van', 0],
    ['van', 2],
    ['"quotes" van', 1],
    ['jean-luc@example.org', 1],
    ['luc', 1],
    ['example.org', 2],
    ['jea', 0],
    ['.*', null],
    ['no-such-word', 0],
  ])('find the text %j', async (text, count) => {
    const query = new URLSearchParams({ text, type: 'user.created' });
    const response = await own.api.send('GET', `${audit}/events?${query}`);
    if (count === null) return expect(response.status).toBe(400);
    return expect(((await response.json()) as Page).items).toHaveLength(count);
  });

  test('by period find what happened in it', async () => {
    const at = one('session.created').time;
    const { items } = await search({ from: at, to: at });
    expect(idsOf(items)).toEqual(idsOf(log.filter(({ time }) => time === at)));
  });

  test('that nobody knows are refused by name', async () => {
    const response = await own.api.send('GET', `${audit}/events?colour=red`);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('colour');
  });
});

test('pages neither repeat nor skip what was there, while events arrive', async () => {
  const before = idsOf(log);
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await search({ limit: '5', ...(cursor === undefined ? {} : { cursor }) });
    seen.push(...page.items.map(({ eventId }) => eventId));
    cursor = page.nextCursor ?? undefined;
    await own.api.post(users, { email: `${newEventId()}@example.org` });
  } while (cursor !== undefined);
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toEqual(expect.arrayContaining(before));
  const other = await freshTenant(credentials, 'search-other');
  const page = await search({ limit: '1' });
  const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit/events?cursor=${page.nextCursor}`;
  expect((await other.api.send('GET', theirs)).status).toBe(400);
}, 30_000);

describe('a saved view', () => {
  test('is created, searched by, changed and removed, each on the record', async () => {
    type View = { id: string; name: string; filters: Record<string, string> };
    const views = `${audit}/saved-views`;
    const created = await own.api.post<View>(views, { name: 'New users', filters: { type: 'user.created' } });
    expect((await own.api.get<{ items: View[] }>(views)).items).toEqual([created]);
    expect((await search({ view: created.id, limit: '200' })).items.every(({ type }) => type === 'user.created')).toBe(
      true,
    );
    expect((await search({ view: created.id, text: 'jean-luc' })).items).toHaveLength(1);
    expect((await own.api.send('POST', views, { body: { name: 'new USERS', filters: {} } })).status).toBe(409);
    expect((await own.api.send('POST', views, { body: { name: 'x', filters: { colour: 'red' } } })).status).toBe(400);
    const changed = await own.api.send('PUT', `${views}/${created.id}`, {
      body: { name: 'Sessions', filters: { type: 'session.created' } },
    });
    expect(await changed.json()).toMatchObject({ name: 'Sessions' });
    expect((await search({ view: created.id })).items.map(({ type }) => type)).toEqual(['session.created']);
    await own.api.delete(`${views}/${created.id}`);
    expect((await own.api.get<{ items: View[] }>(views)).items).toEqual([]);
    expect((await own.api.send('GET', `${audit}/events?view=${created.id}`)).status).toBe(404);
    expect((await own.api.send('DELETE', `${views}/${created.id}`)).status).toBe(404);
    await own.api.post<View>(views, { name: 'Sessions', filters: {} });
    const types = ['view.created', 'view.updated', 'view.deleted'];
    await logWith(
      { ...own, credentials },
      found => types.every(type => found.some(event => event.type === type)),
      'all of it',
    );
  });
});

describe('a timeline', () => {
  test.each(['user', 'session', 'correlation'])('of a %s is what happened to it, oldest first', async kind => {
    const session = one('session.created');
    const of = { user: session.actor.id, session: session.target.id, correlation: session.correlationId }[kind] ?? '';
    const { items } = await own.api.get<Page>(`${audit}/timeline?${kind}=${of}&limit=200`);
    expect(items.map(({ type }) => type)).toContain('session.created');
    expect(items.map(({ time }) => time)).toEqual(items.map(({ time }) => time).toSorted());
    for (const event of items) expect(JSON.stringify(event)).toContain(of);
    const first = await own.api.get<Page>(`${audit}/timeline?${kind}=${of}&limit=1`);
    const second = await own.api.get<Page>(`${audit}/timeline?${kind}=${of}&limit=1&cursor=${first.nextCursor}`);
    expect([...first.items, ...second.items]).toEqual(items.slice(0, 2));
  });

  test('needs to know of what', async () => {
    for (const query of ['', '?user=a&session=b'])
      expect((await own.api.send('GET', `${audit}/timeline${query}`)).status).toBe(400);
  });
});

describe('an explanation', () => {
  test('leads from a session to its sign-in and the roles of its user', async () => {
    const session = one('session.created');
    const found = await own.api.get<Explanation>(`${audit}/events/${session.eventId}/explain`);
    expect(found).toMatchObject({
      session: { eventId: session.eventId },
      signIn: { eventId: one('sign_in.succeeded').eventId },
      memberships: [{ type: 'role.assigned', details: { role: 'tenant_member' } }],
    });
    expect(found.summary.join(' ')).toContain('sign-in');
  });

  test('leads from what an administrator did to the rule that permitted it', async () => {
    const created = log.find(
      ({ type, target, details }) =>
        type === 'user.created' && target.id !== null && String(details['email']).startsWith('jean'),
    ) as AuditEvent;
    const found = await own.api.get<Explanation>(`${audit}/events/${created.eventId}/explain`);
    expect(found.decision).toMatchObject({
      outcome: 'success',
      rule: 'tenant-client-administers-its-tenant',
      basis: expect.stringContaining('scopes: tenant'),
    });
    expect(found.client).toMatchObject({ type: 'client.created', target: { id: created.actor.id } });
    expect((await own.api.send('GET', `${audit}/events/none/explain`)).status).toBe(404);
  });
});

describe('the feed', () => {
  type Feed = { items: AuditEvent[]; nextCursor: string };
  const pull = (query: Record<string, string>) => own.api.get<Feed>(`${audit}/feed?${new URLSearchParams(query)}`);

  test('brings everything once and in the order of each chain, goes on where it was, and waits for what is new', async () => {
    const seen: AuditEvent[] = [];
    let page = await pull({ limit: '7' });
    while (page.items.length > 0) {
      seen.push(...page.items);
      page = await pull({ limit: '7', after: page.nextCursor });
    }
    expect(idsOf(seen)).toEqual(expect.arrayContaining(idsOf(log)));
    expect(new Set(idsOf(seen)).size).toBe(seen.length);
    const last = new Map<string, number>();
    for (const { chain, sequence } of seen) {
      expect([chain, sequence]).toEqual([chain, (last.get(chain) ?? 0) + 1]);
      last.set(chain, sequence);
    }
    const waiting = pull({ after: page.nextCursor, wait: '20' });
    const email = `${newEventId()}@example.org`;
    await own.api.post(users, { email });
    // That the log was read is new as well, and may come first.
    let news = await waiting;
    for (let pulls = 0; pulls < 5 && !JSON.stringify(news.items).includes(email); pulls += 1)
      news = await pull({ after: news.nextCursor, wait: '20' });
    expect(JSON.stringify(news.items)).toContain(email);
    const again = await pull({ after: page.nextCursor, format: 'ocsf' });
    expect(again.items[0]).toMatchObject({ metadata: { version: '1.8.0', tenant_uid: own.tenant.id } });
  }, 40_000);

  test('takes no cursor of another tenant', async () => {
    const other = await freshTenant(credentials, 'feed-other');
    const { nextCursor } = await pull({ limit: '1' });
    const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit/feed?after=${nextCursor}`;
    expect((await other.api.send('GET', theirs)).status).toBe(400);
  });
});

test('reading the log is recorded, once for all pages', async () => {
  const text = 'van dyck';
  const first = await search({ limit: '1', text });
  await search({ limit: '1', text, cursor: first.nextCursor ?? '' });
  const correlation = newEventId();
  await search({ correlation });
  const readings = (of: string, all: AuditEvent[]) =>
    all.filter(({ type, details }) => type === 'audit.read' && String(details['query']).includes(of));
  const where = { ...own, credentials };
  const found = await logWith(where, all => readings(correlation, all).length > 0, 'the reading');
  expect(readings(correlation, found)[0]).toMatchObject({ actor: { type: 'client' }, outcome: 'success' });
  expect(readings('"limit":1,"text":"van dyck"', found)).toHaveLength(1);
});

test('a rebuild by the CLI goes through all records and finds nothing to do, since what is stored is searchable', async () => {
  const environment = {
    ...process.env,
    REEVE_AUDIT_URL: credentials.urls.audit,
    REEVE_ISSUER: credentials.issuer,
    REEVE_CLIENT_ID: credentials.clientId,
    REEVE_CLIENT_SECRET: credentials.clientSecret,
  };
  const rebuild = (env: NodeJS.ProcessEnv, tenant: string) => reeve(['audit', 'rebuild-search', tenant], env);
  const { code, out } = await rebuild(environment, own.tenant.id);
  expect(out).toMatch(/\d+ records looked at, 0 rebuilt\n$/);
  expect(Number(/(\d+) records looked at, 0 rebuilt\n$/.exec(out)?.[1])).toBeGreaterThanOrEqual(log.length);
  expect(code).toBe(0);
  expect(await rebuild({ ...environment, REEVE_CLIENT_SECRET: 'wrong' }, own.tenant.id)).toMatchObject({ code: 2 });
  expect(await rebuild(environment, 'nobody')).toMatchObject({ code: 2, out: expect.stringContaining('not_found') });
}, 30_000);
