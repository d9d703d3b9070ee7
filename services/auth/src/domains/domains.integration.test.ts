// Domains over HTTP, with a real name server: what proves one, what does not, and what a proof is good for. Beside each
// attack stands what is allowed.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { type EventReader, eventually, type NameServer, readEvents, startNameServer } from '@reeve/testing';
import { type Auth, startAuth } from '../auth.test-support.ts';
import { domains, type Domain as State } from './domain.ts';

type Domain = {
  id: Id<'domain'>;
  name: string;
  status: string;
  policy: string;
  connectionId: string | null;
  record: { name: string; type: string; value: string; ttl: number };
  lastCheck: {
    expected: string;
    found: string[];
    resolver: string;
    problem: string | null;
    error: string | null;
  } | null;
  code?: string;
  errors?: { field: string; message: string }[];
};
type Tenant = { tenantId: TenantId; token: string };

let dns: NameServer;
let auth: Auth;
let events: EventReader;
/** The service's own, for what otherwise takes days. */
let store: Store;
let first: Tenant;
let second: Tenant;
let name: string;

/** With a token of the tenant's own client. */
async function newTenant(of: Auth): Promise<Tenant> {
  const { tenantId } = await of.newTenant();
  const client = await of.newApplication(tenantId, { grantTypes: ['client_credentials'], redirectUris: [] });
  const asked = { grant_type: 'client_credentials', scope: `tenant:${tenantId}`, resource: of.url };
  return { tenantId, token: (await of.token(client, asked)).body['access_token'] ?? '' };
}

beforeAll(async () => {
  dns = await startNameServer();
  auth = await startAuth({ REEVE_DNS_SERVERS: dns.address });
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = auth.config;
  store = openStore({ uri, database, source: '/test', contents: { collections: [domains] } });
  events = await readEvents('reeve.auth.v1');
  [first, second] = [await newTenant(auth), await newTenant(auth)];
}, 60_000);
afterAll(async () => {
  await events.stop();
  await store.close();
  await auth.stop();
  await dns.stop();
});
beforeEach(() => {
  name = `${randomUUID()}.example`;
});

const path = ({ tenantId }: Tenant, rest = '') => `/v1/tenants/${tenantId}/domains${rest}`;
const asked = <T = Domain>(of: Tenant, method: string, url: string, body?: object) =>
  auth.ask<T>(method, url, { as: of.token, ...(body ? { body } : {}) });
const claim = (of: Tenant, settings: object = {}) => asked(of, 'POST', path(of), { name, ...settings });
const read = (of: Tenant, { id }: Domain) => asked(of, 'GET', path(of, `/${id}`));
const verify = (of: Tenant, { id }: Domain) => asked(of, 'POST', path(of, `/${id}:verify`));
const release = (of: Tenant, { id }: Domain) => asked(of, 'DELETE', path(of, `/${id}`));
const change = (of: Tenant, { id }: Domain, settings: object) => asked(of, 'PATCH', path(of, `/${id}`), settings);
const publish = ({ record }: Domain) => dns.says(record.name, { txt: [record.value] });

async function claimed(of: Tenant, called = name): Promise<Domain> {
  const { status, body } = await claim(of, { name: called });
  if (status !== 201) throw new Error(`no claim: ${JSON.stringify(body)}`);
  return body;
}

async function verified(of: Tenant): Promise<Domain> {
  const domain = await claimed(of);
  publish(domain);
  const { body } = await verify(of, domain);
  expect(body.status).toBe('verified');
  return domain;
}

const problemOf = async (of: Tenant, domain: Domain) => {
  const { status, body } = await verify(of, domain);
  return [status, body.status, body.lastCheck?.problem];
};
const missing = [200, 'pending', 'record_missing'];
const differs = [200, 'pending', 'record_differs'];
const proven = [200, 'verified', null];

describe('a domain', () => {
  test('is claimed, looked for in vain, and verified when its record is there', async () => {
    const { status, body: domain, headers } = await claim(first);
    expect([status, headers.get('etag')]).toEqual([201, expect.any(String)]);
    expect(domain).toMatchObject({
      name,
      status: 'pending',
      policy: 'offered',
      connectionId: null,
      record: { name: `_reeve-challenge.${name}`, type: 'TXT', value: expect.stringMatching(/^token=[0-9a-v]{32}$/) },
    });
    const { body: failed } = await verify(first, domain);
    expect(failed.lastCheck).toMatchObject({
      expected: domain.record.value,
      found: [],
      resolver: dns.address,
      problem: 'record_missing',
      error: null,
    });
    publish(domain);
    expect(await problemOf(first, domain)).toEqual(proven);
    expect((await read(first, domain)).body).toMatchObject({ status: 'verified', expiresAt: null });
    const { body: list } = await asked<{ items: Domain[] }>(first, 'GET', path(first, '?limit=200'));
    expect(list.items).toContainEqual(expect.objectContaining({ id: domain.id, status: 'verified' }));
    for (const type of ['domain.claimed', 'domain.verification_failed', 'domain.verified'])
      expect((await events.seen(first.tenantId, type, domain.id)).data.details).toMatchObject({ domain: name });
  });

  test('is claimed once in a tenant', async () => {
    const domain = await claimed(first);
    expect(await claim(first, { name: name.toUpperCase() })).toMatchObject({
      status: 409,
      body: { code: 'domain_claimed' },
    });
    expect((await release(first, domain)).status).toBe(204);
    expect((await claim(first)).status).toBe(201);
  });

  test.each([
    ['a public suffix', 'co.uk'],
    ['a suffix that a company lets others register below', 'github.io'],
    ['a top-level domain', 'example'],
    ['an address', '192.0.2.1'],
    ['a URL', 'https://acme.example'],
    ['an address of a person', 'ada@acme.example'],
    ['a wildcard', '*.acme.example'],
    ['a name too long', `${'a.'.repeat(120)}example`],
  ])('is none: %s', async (_, wrong) => {
    const { status, body } = await claim(first, { name: wrong });
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'input_invalid', 'name']);
  });

  test('in another script or case is the one that DNS knows', async () => {
    const domain = await claimed(first, `B\u00dcCHER.${name}`);
    expect(domain.record.name).toBe(`_reeve-challenge.xn--bcher-kva.${name}`);
    publish(domain);
    expect(await problemOf(first, domain)).toEqual(proven);
  });

  test('of another tenant is not there', async () => {
    const domain = await claimed(first);
    const id = `/${domain.id}`;
    for (const [method, rest, body] of [
      ['GET', id],
      ['PATCH', id, { policy: 'off' }],
      ['POST', `${id}:verify`],
      ['DELETE', id],
    ] as const)
      expect((await asked(second, method, path(second, rest), body)).status).toBe(404);
    expect((await read(first, domain)).body).toMatchObject({ status: 'pending', policy: 'offered' });
  });
});

describe('a proof', () => {
  test('is not the token of another tenant', async () => {
    const [own, other] = [await claimed(first), await claimed(second)];
    publish(other);
    expect(await problemOf(first, own)).toEqual(differs);
    expect((await read(first, own)).body.lastCheck?.found).toEqual([other.record.value]);
    publish(own);
    expect(await problemOf(first, own)).toEqual(proven);
  });

  test('of a domain is none of the one below, nor the other way round', async () => {
    const [parent, child] = [await claimed(first), await claimed(first, `mail.${name}`)];
    publish(parent);
    expect(await problemOf(first, child)).toEqual(missing);
    dns.says(parent.record.name, 'nxdomain');
    publish(child);
    expect(await problemOf(first, parent)).toEqual(missing);
    expect(await problemOf(first, child)).toEqual(proven);
  });

  test('is not a record that stands for all names, unless it is the domain’s own', async () => {
    const [parent, child] = [await claimed(first), await claimed(first, `mail.${name}`)];
    dns.says(`*.${name}`, { txt: ['v=spf1 -all', parent.record.value] });
    expect(await problemOf(first, child)).toEqual(differs);
    expect(await problemOf(first, parent)).toEqual(proven);
  });

  test('is not a record that says it is over', async () => {
    const domain = await claimed(first);
    const says = (expiry: string) => dns.says(domain.record.name, { txt: [`${domain.record.value} expiry=${expiry}`] });
    says('2026-01-01T00:00:00Z');
    expect(await problemOf(first, domain)).toEqual([200, 'pending', 'record_expired']);
    says('never');
    expect(await problemOf(first, domain)).toEqual(proven);
  });

  test('is not a name server that fails, refuses or is silent, and these are no absence either', async () => {
    const domain = await claimed(first);
    for (const [failure, error] of [
      ['servfail', 'ESERVFAIL'],
      ['refused', 'EREFUSED'],
      ['silence', 'ETIMEOUT'],
    ] as const) {
      dns.says(domain.record.name, failure);
      const { body } = await verify(first, domain);
      expect(body).toMatchObject({ status: 'pending', lastCheck: { problem: 'dns_failed', error, found: [] } });
    }
    publish(domain);
    expect(await problemOf(first, domain)).toEqual(proven);
    dns.says(domain.record.name, 'servfail');
    expect(await problemOf(first, domain)).toEqual([200, 'verified', 'dns_failed']);
    dns.says(domain.record.name, 'nxdomain');
    expect(await problemOf(first, domain)).toEqual([200, 'failing', 'record_missing']);
  }, 30_000);

  test('may stand elsewhere, by an alias', async () => {
    const domain = await claimed(first);
    dns.says(domain.record.name, { cname: `${name}.challenges.hoster.example` });
    expect(await problemOf(first, domain)).toEqual(missing);
    dns.says(`${name}.challenges.hoster.example`, { txt: ['token=somebody'] });
    expect(await problemOf(first, domain)).toEqual(differs);
    dns.says(`${name}.challenges.hoster.example`, { txt: [domain.record.value] });
    expect(await problemOf(first, domain)).toEqual(proven);
  });

  test('may be cut into strings, and stand among two hundred records', async () => {
    const [domain, many] = [await claimed(first), await claimed(first, `many.${name}`)];
    const { value } = domain.record;
    dns.says(domain.record.name, { txt: [[value.slice(0, 9), value.slice(9)]] });
    expect(await problemOf(first, domain)).toEqual(proven);
    const others = Array.from({ length: 199 }, (_, index) => `${index} ${'x'.repeat(230)}`);
    dns.says(many.record.name, { txt: others });
    const { body } = await verify(first, many);
    expect(body.lastCheck).toMatchObject({
      problem: 'record_differs',
      found: others.slice(0, 20).map(one => one.slice(0, 200)),
    });
    dns.says(many.record.name, { txt: [...others, many.record.value] });
    expect(await problemOf(first, many)).toEqual(proven);
    expect(dns.asked).toContainEqual({ name: many.record.name, over: 'tcp' });
  });
});

describe('a domain whose record is gone', () => {
  const hoursAgo = (count: number) => new Date(Date.now() - count * 3_600_000).toISOString();
  const set = async (of: Tenant, { id }: Domain, changes: Partial<State>) => {
    const own = store.collection(domains).in(of.tenantId);
    const found = await own.get(id);
    if (found) await own.put(id, { ...found.state, ...changes });
  };

  test('is found out by the service itself, and released when the grace is over', async () => {
    const domain = await verified(first);
    dns.says(domain.record.name, 'nxdomain');
    await set(first, domain, { nextCheckAt: hoursAgo(1) });
    const failed = await events.seen(first.tenantId, 'domain.verification_failed', domain.id);
    expect(failed.data).toMatchObject({ reason: { code: 'rechecked' }, details: { problem: 'record_missing' } });
    expect((await read(first, domain)).body.status).toBe('failing');
    await set(first, domain, { nextCheckAt: hoursAgo(1), failingSince: hoursAgo(73) });
    const released = await events.seen(first.tenantId, 'domain.released', domain.id);
    expect(released.data).toMatchObject({ reason: { code: 'proof_gone' }, details: { status: 'failing' } });
    expect((await read(first, domain)).status).toBe(404);
  }, 40_000);

  test('is released by whoever asks for a check after the grace, and is not there then', async () => {
    const domain = await verified(first);
    dns.says(domain.record.name, 'nxdomain');
    await set(first, domain, { status: 'failing', failingSince: hoursAgo(71) });
    expect(await problemOf(first, domain)).toEqual([200, 'failing', 'record_missing']);
    await set(first, domain, { failingSince: hoursAgo(73) });
    expect(await verify(first, domain)).toMatchObject({ status: 404, body: { code: 'not_found' } });
    expect(await claim(first)).toMatchObject({ status: 201, body: { status: 'pending' } });
  });
});

describe('a domain that two tenants claim', () => {
  test('is blocked by neither’s claim, and belongs to the one who proves it', async () => {
    const [own, other] = [await claimed(first), await claimed(second)];
    publish(other);
    expect(await problemOf(second, other)).toEqual(proven);
    // Whoever has proven nothing does not learn that somebody has it, and makes nobody look at the holder's record.
    const before = dns.asked.length;
    expect(await problemOf(first, own)).toEqual(differs);
    expect(dns.asked).toHaveLength(before + 1);
    expect(events.of(second.tenantId).filter(({ type }) => type === 'domain.contested')).toEqual([]);
  });

  test('stays with its holder whose record is still there; the holder is told, and not by whom', async () => {
    const own = await verified(first);
    const other = await claimed(second);
    dns.says(own.record.name, { txt: [own.record.value, other.record.value] });
    expect(await verify(second, other)).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    expect((await read(second, other)).body).toMatchObject({
      status: 'pending',
      lastCheck: { problem: 'domain_taken' },
    });
    const contested = await events.seen(first.tenantId, 'domain.contested', own.id);
    expect(contested.data.actor).toMatchObject({ type: 'service', id: 'auth' });
    expect(JSON.stringify(contested)).not.toContain(second.tenantId);
    expect((await read(first, own)).body.status).toBe('verified');
  });

  test('begins its holder’s grace when the record is gone, and is nobody else’s before that is over', async () => {
    const own = await verified(first);
    const other = await claimed(second);
    publish(other);
    expect(await verify(second, other)).toMatchObject({ status: 409, body: { code: 'domain_taken' } });
    expect((await read(first, own)).body).toMatchObject({
      status: 'failing',
      lastCheck: { problem: 'record_differs' },
    });
    const failed = await events.seen(first.tenantId, 'domain.verification_failed', own.id);
    expect(failed.data.reason.code).toBe('contested');
    publish(own);
    expect(await problemOf(first, own)).toEqual(proven);
  });

  test('is one’s when both prove it in the same moment', async () => {
    const [own, other] = [await claimed(first), await claimed(second)];
    dns.says(own.record.name, { txt: [own.record.value, other.record.value] });
    const answers = await Promise.all([verify(first, own), verify(second, other)]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '409']);
    const states = [await read(first, own), await read(second, other)].map(({ body }) => body.status);
    expect(states.toSorted()).toEqual(['pending', 'verified']);
  });

  test('is free at once when its holder releases it, and nothing of it comes back', async () => {
    const own = await verified(first);
    const other = await claimed(second);
    expect((await change(first, own, { policy: 'off' })).status).toBe(200);
    expect((await release(first, own)).status).toBe(204);
    const released = await events.seen(first.tenantId, 'domain.released', own.id);
    expect(released.data.details).toEqual({ domain: name, status: 'verified' });
    publish(other);
    expect(await problemOf(second, other)).toEqual(proven);
    const again = await claimed(first);
    expect(again).toMatchObject({ status: 'pending', policy: 'offered' });
    expect(again.record.value).not.toBe(own.record.value);
    dns.says(own.record.name, { txt: [own.record.value, other.record.value] });
    expect(await problemOf(first, again)).toEqual(differs);
  });
});

describe('what is asked of the people of a domain', () => {
  test('is to sign in by a connection of the tenant, in the version that was read', async () => {
    const connectionId = await auth.newConnection(first.tenantId);
    const foreign = await auth.newConnection(second.tenantId);
    const domain = await claimed(first);
    for (const wrong of [{ connectionId: foreign }, { connectionId: 'con_1' }, { policy: 'enforced' }, { policy: 'x' }])
      expect([wrong, (await change(first, domain, wrong)).status]).toEqual([wrong, 400]);
    expect((await claim(second, { connectionId })).status).toBe(400);
    const enforced = { policy: 'enforced', connectionId };
    expect(await change(first, domain, enforced)).toMatchObject({ status: 200, body: enforced });
    const stale = { as: first.token, body: { policy: 'off' }, headers: { 'if-match': '"1"' } };
    expect((await auth.ask('PATCH', path(first, `/${domain.id}`), stale)).status).toBe(412);
    const { data } = await events.seen(first.tenantId, 'domain.updated', domain.id);
    expect(data.details).toEqual({ domain: name, ...enforced, changed: ['policy', 'connectionId'] });
  });

  test('stays when the connection is deleted, which is then none', async () => {
    const connectionId = await auth.newConnection(first.tenantId);
    const domain = await claimed(first);
    await change(first, domain, { policy: 'enforced', connectionId });
    await asked(first, 'DELETE', `/v1/tenants/${first.tenantId}/sso-connections/${connectionId}`);
    const body = await eventually('it has no connection', async () => {
      const found = await read(first, domain);
      return found.body.connectionId === null && found.body;
    });
    expect(body.policy).toBe('enforced');
  });
});

describe('a connection', () => {
  type Connection = { id: Id<'connection'>; domains: string[]; code?: string };
  const connectionPath = (of: Tenant, id: string) => `/v1/tenants/${of.tenantId}/sso-connections/${id}`;
  const speakFor = (of: Tenant, id: string, domains: string[]) =>
    asked<Connection>(of, 'PATCH', connectionPath(of, id), { domains });
  /** Whether provisioning is told so at a sign-in of somebody who has an address of the domain. */
  async function speaks(of: Tenant, connection: string): Promise<boolean> {
    const application = await auth.newApplication(of.tenantId);
    auth.provider.is({ sub: randomUUID(), email: `ada@${name}`, email_verified: true });
    await auth.authorize(application, { connection });
    return auth.provisioning.asked.at(-1)?.domainOwned ?? false;
  }

  test('speaks for what its tenant has verified, and for nothing that it has not', async () => {
    const connection = await auth.newConnection(first.tenantId);
    const unverified = { status: 403, body: { code: 'domain_unverified' } };
    expect(await speakFor(first, connection, [name])).toMatchObject(unverified);
    const domain = await claimed(first);
    expect(await speakFor(first, connection, [name])).toMatchObject(unverified);
    publish(domain);
    await verify(first, domain);
    expect(await speakFor(first, connection, [`mail.${name}`])).toMatchObject(unverified);
    const theirs = await auth.newConnection(second.tenantId);
    expect(await speakFor(second, theirs, [name])).toMatchObject(unverified);
    expect(await speakFor(first, connection, [name])).toMatchObject({ status: 200, body: { domains: [name] } });
    expect(await speaks(first, connection)).toBe(true);
  });

  test('speaks no more for a domain that was released, at once, also when it is verified again', async () => {
    const connection = await auth.newConnection(first.tenantId);
    const domain = await verified(first);
    await speakFor(first, connection, [name]);
    expect(await speaks(first, connection)).toBe(true);
    await release(first, domain);
    expect(await speaks(first, connection)).toBe(false);
    await verified(first);
    expect(await speaks(first, connection)).toBe(false);
    await eventually('it says so', async () => {
      const { body } = await asked<Connection>(first, 'GET', connectionPath(first, connection));
      return body.domains.length === 0;
    });
    const updated = events.of(first.tenantId).filter(({ data }) => data.target.id === connection);
    expect(updated.map(({ data }) => data.reason.code)).toContain('domain_released');
    await speakFor(first, connection, [name]);
    expect(await speaks(first, connection)).toBe(true);
  });

  test('speaks by the word of the platform until another tenant proves the domain', async () => {
    const given = await auth.newConnection(first.tenantId, { domains: [name] });
    expect(await speaks(first, given)).toBe(true);
    await verified(second);
    const body = { name: 'x', kind: 'oidc', domains: [name] };
    const oidc = { issuer: auth.provider.issuer, clientId: 'reeve', clientSecret: 'a secret' };
    const again = { as: await auth.asPlatform(), body: { ...body, oidc } };
    expect(await auth.ask('POST', `/v1/tenants/${first.tenantId}/sso-connections`, again)).toMatchObject({
      status: 409,
      body: { code: 'domain_taken' },
    });
    await eventually('it does not any more', async () => !(await speaks(first, given)));
  });

  test('is given a domain anew by the platform where the tenant had proven and lost it', async () => {
    const connection = await auth.newConnection(first.tenantId, { domains: [name] });
    const domain = await verified(first);
    await release(first, domain);
    await eventually('it does not speak for it any more', async () => !(await speaks(first, connection)));
    const given = { as: await auth.asPlatform(), body: { domains: [name] } };
    expect((await auth.ask('PATCH', connectionPath(first, connection), given)).status).toBe(200);
    expect(await speaks(first, connection)).toBe(true);
  });
});

describe('with another configuration', () => {
  test('a domain is verified where all resolvers that answer have its record, and lost where all lack it', async () => {
    const elsewhere = await startNameServer();
    const two = await startAuth({ REEVE_DNS_SERVERS: `${dns.address}, ${elsewhere.address}` });
    const own = await newTenant(two);
    const ask = (method: string, rest: string, body?: object) =>
      two.ask<Domain>(method, path(own, rest), { as: own.token, ...(body ? { body } : {}) });
    const { body: domain } = await ask('POST', '', { name });
    const check = async () => {
      const { status, lastCheck } = (await ask('POST', `/${domain.id}:verify`)).body;
      return [status, lastCheck?.problem, lastCheck?.resolver];
    };
    const both = `${dns.address}, ${elsewhere.address}`;
    publish(domain);
    expect(await check()).toEqual(['pending', 'dns_differs', elsewhere.address]);
    elsewhere.says(domain.record.name, { txt: [domain.record.value] });
    expect(await check()).toEqual(['verified', null, both]);
    dns.says(domain.record.name, 'nxdomain');
    expect(await check()).toEqual(['verified', 'dns_differs', dns.address]);
    elsewhere.says(domain.record.name, 'nxdomain');
    expect(await check()).toEqual(['failing', 'record_missing', both]);
    await two.stop();
    await elsewhere.stop();
  }, 60_000);

  test('a domain is checked once in five seconds', async () => {
    const limited = await startAuth({ REEVE_DNS_SERVERS: dns.address, REEVE_RATE_LIMITS: 'on' });
    const own = await newTenant(limited);
    const ask = (rest: string, body?: object) =>
      limited.ask<Domain>('POST', path(own, rest), { as: own.token, ...(body ? { body } : {}) });
    const [domain, other] = [(await ask('', { name })).body, (await ask('', { name: `other.${name}` })).body];
    const checks = await Promise.all([ask(`/${domain.id}:verify`), ask(`/${domain.id}:verify`)]);
    expect(checks.map(({ status }) => String(status)).toSorted()).toEqual(['200', '429']);
    const refused = checks.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(dns.asked.filter(one => one.name === domain.record.name)).toHaveLength(1);
    expect((await ask(`/${other.id}:verify`)).status).toBe(200);
    await limited.stop();
  }, 60_000);
});
