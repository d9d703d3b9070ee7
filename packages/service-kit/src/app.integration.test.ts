// A small service of every kind of route, over a real store and bus: what comes before and after a handler, for each of
// them.
import { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, newId, ProblemError, platformTenantId, type TenantId } from '@reeve/contracts';
import { collection } from '@reeve/store';
import { callers, type EventReader, eventually, type RunningService, readEvents, startService } from '@reeve/testing';
import { z } from 'zod';
import { createApp } from './app.ts';
import { baseConfig } from './config.ts';
import { createFoundation } from './foundation.ts';
import { createGiveWay } from './give-way.ts';
import type { Authenticate } from './handle-route.ts';
import { createLogger } from './logger.ts';
import { html } from './pages/html.ts';
import { browserRouteFor, openRoute, ownRoute, platformRoute, scimRouteFor, tenantRoute } from './route.ts';
import { changeExisting, createOnce, readExisting } from './save.ts';
import { tenantDirectory } from './tenant-directory.ts';

type Thing = { name: string };
const things = collection<Thing>({ name: 'things', unique: { name: ({ name }) => name } });
const view = z.object({ id: z.string(), name: z.string(), secret: z.string().nullable() });

const tenantId = newId('tenant');
const suspended = newId('tenant');
const ending = { id: newId('tenant'), slug: 'ending', status: 'active' };
const known = [
  ending,
  { id: tenantId, slug: 'acme', status: 'active' },
  { id: suspended, slug: 'gone', status: 'suspended' },
];
const csrf = 'only this form knows';
let handled = 0;
let crashAfterCreation = false;
const giveWay = createGiveWay();
const abandoned = { begun: Promise.withResolvers<void>(), ended: Promise.withResolvers<unknown>() };
const waiting = { begun: Promise.withResolvers<void>(), mayEnd: Promise.withResolvers<void>() };

/** A browser says who it is in a header here; how a service knows it is another matter. */
const browser: Authenticate = async ({ request }) => {
  const who = request.get('x-person');
  if (who === undefined) return { signIn: async () => 'http://localhost/sign-in' };
  const tenant = who === 'of-suspended' ? suspended : tenantId;
  const id = newId('user');
  return {
    principal: { type: 'user', id, tenantId: tenant, scopes: ['tenant'], roles: [], platform: false },
    actor: { type: 'user', id, name: who, via: 'session' },
    sessionId: null,
    csrf,
    details: { name: who },
  };
};

const directory: Authenticate = async ({ request }) => {
  if (request.get('authorization') !== 'Bearer directory') throw new ProblemError('token_invalid');
  const id = newId('directory');
  return {
    principal: { type: 'directory', id, tenantId, scopes: [], roles: [], platform: false },
    actor: { type: 'client', id, name: 'HR', via: 'client' },
    sessionId: null,
    details: { id },
  };
};

const lines: string[] = [];
const log = createLogger('test', 'info', { write: line => void lines.push(line) });

let service: RunningService;
let events: EventReader;

beforeAll(async () => {
  service = await startService({
    name: 'test',
    schema: baseConfig,
    create(config) {
      const foundation = createFoundation('test', config, { log, contents: { collections: [things] } });
      const { store, verifyToken, ready, start, stop } = foundation;
      const all = store.collection(things);
      const thingOf = (name: string) => ({
        state: { name },
        events: [event('domain.claimed', { id: name, because: 'requested' })],
      });
      const app = createApp({
        name: 'test',
        purpose: 'Is there for tests.',
        config,
        log,
        store,
        verifyToken,
        ready,
        authenticate: { browser, directory },
        giveWay,
        tenants: tenantDirectory(async reference => known.find(one => [one.id, one.slug].includes(reference)) ?? null),
        routes: [
          tenantRoute({
            method: 'post',
            path: '/v1/tenants/{tenantId}/clients',
            summary: 'Make a thing',
            action: 'clients:write',
            body: z.strictObject({ name: z.string().max(50) }),
            status: 201,
            response: view,
            withoutSecrets: thing => ({ ...thing, secret: null }),
            async handle({ tenantId: tenant, body: { name }, cause, freshId }) {
              handled += 1;
              const id = freshId('client');
              const { entry, isNew } = await createOnce(all.in(tenant), id, thingOf(name), {
                cause,
                taken: { name: 'view_name_taken' },
              });
              if (crashAfterCreation) throw new Error('the process is gone');
              return { body: { id: entry.id, name: entry.state.name, secret: isNew ? 'shown once' : null } };
            },
          }),
          tenantRoute({
            method: 'patch',
            path: '/v1/tenants/{tenantId}/clients/{clientId}',
            summary: 'Change a thing',
            action: 'clients:write',
            versioned: true,
            body: z.strictObject({ name: z.string() }),
            response: z.object({ name: z.string() }),
            async handle({ tenantId: tenant, params: { clientId: id }, body, cause, expectedVersion }) {
              const entry = await changeExisting(all.in(tenant), id, () => thingOf(body.name), {
                cause,
                expectedVersion,
                taken: { name: 'view_name_taken' },
              });
              return { body: { name: entry.state.name }, version: entry.version };
            },
          }),
          tenantRoute({
            method: 'get',
            path: '/v1/tenants/{tenantId}/clients/{clientId}',
            summary: 'Read a thing',
            action: 'clients:read',
            crossOrigin: true,
            response: z.object({ name: z.string() }),
            async handle({ tenantId: tenant, params: { clientId } }) {
              const entry = await readExisting(all.in(tenant), clientId);
              return { body: { name: entry.state.name }, version: entry.version };
            },
          }),
          tenantRoute({
            method: 'post',
            path: '/v1/tenants/{tenantId}/clients/{clientId}:rotate-secret',
            summary: 'Change its secret',
            action: 'clients:write',
            response: z.object({ id: z.string() }),
            handle: async ({ params: { clientId } }) => ({ body: { id: clientId } }),
          }),
          ownRoute({
            method: 'get',
            path: '/v1/me/sessions',
            summary: 'Read what is one’s own',
            action: 'sessions:read',
            response: z.object({ id: z.string() }),
            handle: async ({ caller }) => ({ body: { id: caller.id } }),
          }),
          tenantRoute({
            method: 'get',
            path: '/v1/tenants/{tenantId}/waiting',
            summary: 'Wait for things',
            action: 'clients:read',
            response: z.object({ found: z.boolean() }),
            async handle() {
              await pause(2_500);
              return { body: { found: true } };
            },
          }),
          tenantRoute({
            method: 'get',
            path: '/v1/tenants/{tenantId}/streamed',
            summary: 'Stream things',
            action: 'clients:read',
            response: z.string(),
            produces: ['text/plain'],
            handle: async () => ({
              async stream(response) {
                for (let line = 0; line < 10 && !response.destroyed; line += 1) {
                  response.write(`${line}\n`);
                  await pause(400);
                }
                response.end();
              },
            }),
          }),
          platformRoute({
            method: 'get',
            path: '/v1/tenants',
            summary: 'List tenants',
            action: 'tenants:list',
            response: z.object({ items: z.array(z.string()) }),
            handle: async () => ({ body: { items: [tenantId] } }),
          }),
          platformRoute({
            method: 'get',
            path: '/v1/fails',
            summary: 'Fail',
            action: 'tenants:list',
            response: z.null(),
            handle: () => Promise.reject(new Error('a secret detail')),
          }),
          scimRouteFor<{ id: string }>()({
            method: 'get',
            path: '/scim/v2/{directoryId}/Users',
            summary: 'Find',
            response: z.object({ id: z.string() }),
            handle: async ({ principal: { id } }) => ({ body: { id } }),
          }),
          scimRouteFor<{ id: string }>()({
            method: 'get',
            path: '/scim/v2/{directoryId}/Groups',
            summary: 'Not offered yet',
            handle: () => Promise.reject(new ProblemError('scim_not_offered')),
          }),
          browserRouteFor<{ name: string }>()({
            method: 'get',
            path: '/page',
            summary: 'Show',
            action: 'consents:read',
            handle: async ({ principal: { name } }) => ({
              page: { title: 'Hello', content: html`<p>${name}</p>`, formAction: ['https://elsewhere.example'] },
            }),
          }),
          browserRouteFor<{ name: string }>()({
            method: 'post',
            path: '/page',
            summary: 'Change',
            action: 'consents:write',
            answer: 'redirect',
            body: z.strictObject({ answer: z.string() }),
            handle: async ({ body: { answer } }) => ({ redirect: `/done?${answer}` }),
          }),
          openRoute({
            method: 'get',
            path: '/waits',
            summary: 'Take until it is told to end',
            open: 'a test',
            answer: 'json',
            async handle() {
              waiting.begun.resolve();
              await waiting.mayEnd.promise;
              return { body: {} };
            },
          }),
          openRoute({
            method: 'get',
            path: '/abandoned',
            summary: 'Work until the caller has gone',
            open: 'a test',
            answer: 'json',
            async handle({ signal }) {
              abandoned.begun.resolve();
              try {
                await pause(10_000, undefined, { signal });
              } catch (error) {
                abandoned.ended.resolve(error);
                throw error;
              }
              return { body: {} };
            },
          }),
          openRoute({
            method: 'get',
            path: '/open',
            summary: 'Open to everybody',
            open: 'a test',
            answer: 'json',
            crossOrigin: true,
            handle: async () => ({ body: { open: true } }),
          }),
        ],
      });
      return { app, start, stop };
    },
  });
  events = await readEvents('reeve.activity.v1', 'reeve.auth.v1');
}, 60_000);
afterAll(async () => {
  await events.stop();
  await service.stop();
});

type Answer = { code?: string; id?: string; name?: string; secret?: string | null; errors?: { field: string }[] };
const ask = (method: string, path: string, options: Parameters<RunningService['ask']>[2] = {}) =>
  service.ask<Answer>(method, path, options);
const of = (tenant: TenantId, path = '/clients') => `/v1/tenants/${tenant}${path}`;
const asTenant = callers.tenantClient(tenantId);
const make = (name: string, headers: Record<string, string> = {}) =>
  ask('POST', of(tenantId), { as: asTenant, body: { name }, headers });

describe('a caller', () => {
  test.each([
    ['without a token', undefined, 401, 'token_missing'],
    ['with something else', 'x', 401, 'token_invalid'],
    ['of another tenant', callers.tenantClient(newId('tenant')), 404, 'not_found'],
    ['who is no administrator', callers.person(tenantId, { roles: ['tenant_member'] }), 403, 'access_denied'],
  ])('%s is refused before the body is looked at', async (_, as, status, code) => {
    const refused = await ask('POST', of(tenantId), { ...(as ? { as } : {}), body: '{ not JSON' });
    expect(refused).toMatchObject({ status, body: { code } });
    expect((await make(newId('request'))).status).toBe(201);
  });

  test('of a suspended tenant is refused, the platform is not', async () => {
    const body = { name: 'x' };
    const refused = await ask('POST', of(suspended), { as: callers.tenantClient(suspended), body });
    expect(refused).toMatchObject({ status: 403, body: { code: 'tenant_suspended' } });
    expect((await ask('POST', of(suspended), { as: callers.platform(), body })).status).toBe(201);
  });

  test('whose right ends while the body is on its way is refused', async () => {
    const sendSlowly = async (between: () => void) => {
      const authorization = `Bearer ${await service.issuer.token(callers.tenantClient(ending.id), service.url)}`;
      async function* body() {
        yield Buffer.from('{"name":');
        await pause(300);
        between();
        // Longer than a directory of tenants keeps what it knows.
        await pause(1_200);
        yield Buffer.from(JSON.stringify(newId('request')).concat('}'));
      }
      const { status } = await fetch(new URL(of(ending.id), service.url), {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: Readable.from(body()),
        duplex: 'half',
      });
      return status;
    };
    expect(await sendSlowly(() => undefined)).toBe(201);
    expect(await sendSlowly(() => (ending.status = 'suspended'))).toBe(403);
    ending.status = 'active';
  });

  test('whose right ends while the answer is made, or is on its way, gets no more of it', async () => {
    const read = async (what: string, between: () => void) => {
      ending.status = 'active';
      const as = callers.tenantClient(ending.id);
      // Its time is over by the end; that of itself ends nothing.
      const token = await service.issuer.token({ ...as, exp: Math.floor(Date.now() / 1_000) - 3 }, service.url);
      const answer = fetch(new URL(`/v1/tenants/${ending.id}/${what}`, service.url), {
        headers: { authorization: `Bearer ${token}` },
      });
      const text = answer.then(async response => `${response.status} ${await response.text()}`);
      await pause(300);
      between();
      return text.catch(() => 'broken off');
    };
    const whole = Array.from({ length: 10 }, (_, line) => `${line}\n`).join('');
    expect([await read('streamed', () => undefined), await read('waiting', () => undefined)]).toEqual([
      `200 ${whole}`,
      '200 {"found":true}',
    ]);
    const suspend = () => void (ending.status = 'suspended');
    expect([await read('streamed', suspend), await read('waiting', suspend)]).toEqual([
      'broken off',
      expect.stringMatching(/^403 .*tenant_suspended/),
    ]);
    ending.status = 'active';
  });

  test('of the platform is on the record of the tenant, whatever tenant its token names', async () => {
    const as = { ...callers.platform(), tid: tenantId };
    await ask('POST', of(tenantId), { as, body: { name: newId('request') }, headers: { 'reeve-reason': 'ticket 7' } });
    const used = await eventually('the record', () =>
      events.of(tenantId).find(({ type, data }) => type === 'access.platform_used' && data.actor.id === as.sub),
    );
    expect(used.data.details).toEqual({ action: 'clients:write', statedReason: 'ticket 7' });
  });

  test('of the platform who acts across tenants is on the platform’s own record', async () => {
    const as = callers.platform();
    await ask('GET', '/v1/tenants', { as, headers: { 'reeve-reason': 'ticket 8' } });
    const used = await eventually('the record', () =>
      events.of(platformTenantId).find(({ type, data }) => type === 'access.platform_used' && data.actor.id === as.sub),
    );
    expect(used.data.details).toEqual({ action: 'tenants:list', statedReason: 'ticket 8' });
  });

  test('who is denied is on the record, with the rule', async () => {
    const as = callers.person(tenantId, { roles: [] });
    await ask('POST', of(tenantId), { as, body: {} });
    await eventually('the record', () =>
      events.of(tenantId).find(({ type, data }) => type === 'access.denied' && data.actor.id === as.sub),
    );
  });

  test('who tries another tenant is on the record of their own, and not on that one’s', async () => {
    const as = callers.person(tenantId);
    expect((await ask('POST', of(ending.id), { as, body: {} })).status).toBe(404);
    const denied = await eventually('the record', () =>
      events.of(tenantId).find(({ type, data }) => type === 'access.denied' && data.actor.id === as.sub),
    );
    expect(denied.data.reason).toMatchObject({ code: 'no_rule_permits', basis: expect.stringContaining('tenant') });
    expect(events.of(ending.id).filter(({ data }) => data.actor.id === as.sub)).toEqual([]);
  });

  test('has what is their own as a person, and not as a client', async () => {
    const as = callers.person(tenantId);
    expect((await ask('GET', '/v1/me/sessions', { as })).body.id).toBe(as.sub);
    expect(await ask('GET', '/v1/me/sessions', { as: asTenant })).toMatchObject({ body: { code: 'person_required' } });
  });

  test('who sends a trace joins nobody’s records: the correlation id is the request’s own', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const traceparent = `00-${traceId}-b7ad6b7169203331-01`;
    const made = await make(newId('request'), { traceparent });
    const requestId = made.headers.get('reeve-request-id');
    const claimed = await events.seen(tenantId, 'domain.claimed', made.body.name);
    expect(claimed.correlationId).toBe(requestId);
    expect(claimed.traceparent).toContain(traceId);
  });
});

describe('a body', () => {
  test('with very many faults is answered with the first of them', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`x${at}`, 1]));
    const long = { ['x'.repeat(100_000)]: 1 };
    for (const [body, count] of [
      [many, 50],
      [long, 1],
    ] as const) {
      const { status, body: problem } = await ask('POST', of(tenantId), { as: asTenant, body: { name: 'x', ...body } });
      const { errors = [] } = problem as { errors?: { field: string }[] };
      expect([status, errors.length]).toEqual([400, count]);
      expect(JSON.stringify(problem).length).toBeLessThan(10_000);
    }
  });

  test.each([
    ['of 10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, {}, 400],
    ['that is no JSON', '{', {}, 400],
    ['with a member twice', '{"name":"x","name":"y"}', {}, 400],
    ['that is too large', JSON.stringify({ name: 'x'.repeat(300_000) }), {}, 413],
    ['of another type', 'name=x', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['that is not there', undefined, {}, 400],
    ['with a field that is not known', { name: 'x', nam: 1 }, {}, 400],
    ['with NUL', { name: 'x\0' }, {}, 400],
  ])('%s is refused', async (_, body, headers, status) => {
    const options = body === undefined ? {} : { body };
    expect((await ask('POST', of(tenantId), { as: asTenant, headers, ...options })).status).toBe(status);
  });

  test('with a member twice is refused by its name, and taken however else it is laid out', async () => {
    const send = (body: string) => ask('POST', of(tenantId), { as: asTenant, body });
    const refused = await send('{ "name": "x", "n\\u0061me": "x" }');
    expect(refused.body).toMatchObject({ code: 'body_malformed', detail: 'the member "name" is there twice' });
    expect((await send(`\ufeff{\n "name": "${newId('request')}"\n}`)).status).toBe(201);
  });

  test('where none is wanted is refused by its fields', async () => {
    const { body } = await ask('GET', '/v1/me/sessions?x=1', { as: callers.person(tenantId) });
    expect(body).toMatchObject({ code: 'input_invalid', errors: [{ field: 'query.x' }] });
  });
});

describe('If-Match', () => {
  test('is heeded where something has a version, and refused elsewhere', async () => {
    const { body } = await make(newId('request'));
    const path = `${of(tenantId)}/${body.id}`;
    const change = (etag: string) =>
      ask('PATCH', path, { as: asTenant, body: { name: newId('request') }, headers: { 'if-match': etag } });
    expect((await ask('GET', path, { as: asTenant })).headers.get('etag')).toBe('"1"');
    expect((await change('"1"')).status).toBe(200);
    expect(await change('"1"')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await change('"x"')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await change('W/"2"')).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect((await change('"2"')).status).toBe(200);
    expect((await change('*')).status).toBe(200);
    const elsewhere = await make('y', { 'if-match': '"1"' });
    expect(elsewhere).toMatchObject({ status: 400, body: { code: 'precondition_unsupported' } });
  });

  test('of what is not there finds nothing, also of an id that is none', async () => {
    for (const id of [newId('client'), newId('user'), 'x'])
      expect((await ask('PATCH', `${of(tenantId)}/${id}`, { as: asTenant, body: { name: 'x' } })).status).toBe(404);
  });
});

describe('an Idempotency-Key', () => {
  test('stands for one request: done once, answered alike, without its secret', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const name = newId('request');
    const before = handled;
    const first = await make(name, headers);
    const again = await make(name, headers);
    expect(handled).toBe(before + 1);
    expect(first.body.secret).toBe('shown once');
    expect(again.body).toEqual({ ...first.body, secret: null });
    expect(await make('other', headers)).toMatchObject({ status: 409, body: { code: 'idempotency_key_reused' } });
  });

  test('finds what was made although a crash came before the answer', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const name = newId('request');
    crashAfterCreation = true;
    expect((await make(name, headers)).status).toBe(500);
    crashAfterCreation = false;
    const again = await make(name, headers);
    expect(again).toMatchObject({ status: 201, body: { name, secret: null } });
    expect((await make(name)).body.code).toBe('view_name_taken');
  });

  test('is done once by ten who send it at once', async () => {
    const headers = { 'idempotency-key': newId('request') };
    const name = newId('request');
    const all = await Promise.all(Array.from({ length: 10 }, () => make(name, headers)));
    const made = new Set(all.filter(({ status }) => status === 201).map(({ body }) => body.id));
    expect(made.size).toBe(1);
    expect(all.every(({ status, body }) => status === 201 || body.code === 'request_in_progress')).toBe(true);
  });

  test('is a caller’s own, and has a form', async () => {
    const headers = { 'idempotency-key': newId('request') };
    await make(newId('request'), headers);
    const body = { name: newId('request') };
    expect((await ask('POST', of(tenantId), { as: callers.tenantClient(tenantId), body, headers })).status).toBe(201);
    expect((await make('x', { 'idempotency-key': 'a b' })).body.errors?.[0]?.field).toBe('Idempotency-Key');
  });
});

describe('a page', () => {
  const asked = (method: string, headers: Record<string, string> = {}, fields?: Record<string, string>) =>
    fetch(`${service.url}/page`, {
      method,
      redirect: 'manual',
      headers,
      ...(fields ? { body: new URLSearchParams(fields) } : {}),
    });

  test('sends whoever is not signed in to sign in, and a form of theirs nowhere', async () => {
    const shown = await asked('GET');
    expect([shown.status, shown.headers.get('location')]).toEqual([303, 'http://localhost/sign-in']);
    const sent = await asked('POST', {}, { csrf, answer: 'yes' });
    expect([sent.status, (await sent.text()).includes('csrf_mismatch')]).toEqual([403, true]);
  });

  test('is shown under a policy that lets its forms go where they have to', async () => {
    const shown = await asked('GET', { 'x-person': '<b>Ada</b>' });
    expect(await shown.text()).toContain('&lt;b&gt;Ada&lt;/b&gt;');
    expect(shown.headers.get('content-security-policy')).toContain("form-action 'self' https://elsewhere.example");
  });

  test('takes its own forms, and none of another site', async () => {
    const headers = { 'x-person': 'Ada' };
    const own = await asked('POST', headers, { csrf, answer: 'yes' });
    expect([own.status, own.headers.get('location')]).toEqual([303, '/done?yes']);
    for (const fields of [{ answer: 'yes' }, { csrf: 'x', answer: 'yes' }, { csrf: '', answer: 'yes' }] as Record<
      string,
      string
    >[])
      expect((await asked('POST', headers, fields)).status).toBe(403);
    // A browser says where a form comes from: another site, or another port or subdomain of this one.
    const sentBy = (from: string) =>
      asked('POST', { ...headers, 'sec-fetch-site': from }, { csrf, answer: 'yes' }).then(({ status }) => status);
    expect(await Promise.all(['cross-site', 'same-site', 'same-origin'].map(sentBy))).toEqual([403, 403, 303]);
  });

  test('of a suspended tenant is an error that a person can read, with a reference', async () => {
    const shown = await asked('GET', { 'x-person': 'of-suspended' });
    const text = await shown.text();
    expect([shown.status, shown.headers.get('content-type')]).toEqual([403, expect.stringContaining('text/html')]);
    expect(text).toContain('access is suspended');
    expect(text).toContain(shown.headers.get('reeve-request-id') ?? 'none');
  });
});

describe('SCIM', () => {
  test('has its own errors and types', async () => {
    const path = `/scim/v2/${newId('directory')}/Users`;
    const refused = await ask('GET', path, { as: 'x' });
    expect(refused.headers.get('content-type')).toContain('application/scim+json');
    expect(refused.body).toMatchObject({ schemas: [expect.stringContaining(':Error')], status: '401' });
    expect((await ask('GET', path, { as: 'directory' })).status).toBe(200);
    expect((await ask('GET', '/scim/v2/nowhere')).body).toMatchObject({ status: '404' });
  });

  test('that is not offered is refused, and logged as no failure of ours', async () => {
    const levelsOf = ({ headers }: { headers: Headers }) =>
      eventually('a line that it was answered', () => {
        const own = lines
          .map(line => JSON.parse(line) as { requestId?: string; level: string; msg: string })
          .filter(({ requestId }) => requestId === headers.get('reeve-request-id'));
        return own.some(({ msg }) => msg === 'answered') && own.map(({ level }) => level);
      });
    const refused = await ask('GET', `/scim/v2/${newId('directory')}/Groups`, { as: 'directory' });
    expect([refused.status, await levelsOf(refused)]).toEqual([501, ['info']]);
    const failed = await ask('GET', '/v1/fails', { as: callers.platform() });
    expect([failed.status, await levelsOf(failed)]).toEqual([500, ['error', 'error']]);
  });
});

describe('what is there', () => {
  test('is said at the root, to a program and to a person', async () => {
    expect((await ask('GET', '/', { headers: { accept: '*/*' } })).body).toMatchObject({ service: 'test' });
    const person = await fetch(service.url, { headers: { accept: 'text/html' } });
    expect(await person.text()).toContain('Is there for tests.');
  });

  test('is said of each path by Allow, and of none that there is not', async () => {
    const other = await ask('DELETE', of(tenantId), { as: asTenant });
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await ask('GET', '/nowhere')).body.code).toBe('not_found');
    const person = await fetch(`${service.url}/nowhere`, { headers: { accept: 'text/html' } });
    expect(person.headers.get('content-type')).toContain('text/html');
  });

  test('is said of a verb by itself, apart from what the verb is about', async () => {
    const id = newId('client');
    const path = `${of(tenantId)}/${id}:rotate-secret`;
    expect((await ask('POST', path, { as: asTenant })).body).toEqual({ id });
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      const refused = await ask(method, path, { as: asTenant, body: method === 'GET' ? undefined : {} });
      expect([method, refused.status, refused.headers.get('allow')]).toEqual([method, 405, 'POST']);
    }
    const about = await ask('DELETE', `${of(tenantId)}/${id}`, { as: asTenant });
    expect([about.status, about.headers.get('allow')]).toEqual([405, 'PATCH, GET, HEAD']);
  });

  test('is in the OpenAPI document, with who may call it', async () => {
    const { body } = await service.ask<{ paths: Record<string, Record<string, Record<string, unknown>>> }>(
      'GET',
      '/openapi.json',
    );
    const callersOf = Object.values(body.paths)
      .flatMap(path => Object.values(path))
      .map(one => one['x-reeve-caller']);
    expect(new Set(callersOf)).toEqual(new Set(['bearer', 'directory', 'browser', 'stranger']));
    expect(body.paths['/open']?.['get']).toMatchObject({ 'x-reeve-open': 'a test', security: [] });
  });

  test('fails without a word of why, and says where to look it up', async () => {
    const failed = await ask('GET', '/v1/fails', { as: callers.platform() });
    expect(failed).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(failed.body)).not.toContain('secret');
    expect(failed.headers.get('reeve-request-id')).toMatch(/^req_/);
  });
});

test('work that nobody waits for gives way to a request while it is served', async () => {
  const isFree = () => Promise.race([giveWay.toRequests().then(() => true), pause(20, false)]);
  await eventually('nothing to be served', isFree);
  const answer = fetch(`${service.url}/waits`);
  await waiting.begun.promise;
  expect(await isFree()).toBe(false);
  waiting.mayEnd.resolve();
  expect((await answer).status).toBe(200);
  await eventually('it to be served', isFree);
});

test('work ends when its caller has gone, and that is no failure', async () => {
  const caller = new AbortController();
  const answer = fetch(`${service.url}/abandoned`, { signal: caller.signal });
  await abandoned.begun.promise;
  caller.abort();
  await expect(answer).rejects.toMatchObject({ name: 'AbortError' });
  expect(await abandoned.ended.promise).toMatchObject({ name: 'AbortError' });
  await ask('GET', '/v1/fails', { as: callers.platform() });
  const failures = lines.filter(line => line.includes('request failed'));
  expect(failures.at(-1)).toContain('a secret detail');
  expect(failures.join('')).not.toContain('AbortError');
});

describe('a page of another origin', () => {
  const read = (path: string, token?: string) =>
    fetch(new URL(path, service.url), {
      headers: { origin: 'https://app.example', ...(token ? { authorization: `Bearer ${token}` } : {}) },
    });

  test('reads what is public, and nothing else without a token that names it', async () => {
    expect((await read('/open')).headers.get('access-control-allow-origin')).toBe('*');
    const token = await service.issuer.token(asTenant, service.url);
    const { body } = await make(newId('request'));
    const answer = await read(`${of(tenantId)}/${body.id}`, token);
    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
  });

  test('may ask first, where it may read at all', async () => {
    const preflight = (path: string) =>
      fetch(new URL(path, service.url), { method: 'OPTIONS', headers: { origin: 'https://app.example' } });
    expect((await preflight('/open')).status).toBe(204);
    expect((await preflight('/page')).status).toBe(405);
  });
});
