// The feed of what is revoked, over HTTP: complete from its first line, quick, and for applications of the platform alone.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type Revocation, type TenantId } from '@reeve/contracts';
import { eventually, listen } from '@reeve/testing';
import { type Application, type Auth, startAuth } from '../auth.test-support.ts';
import { revocationFeed } from './revocation-feed.ts';

let auth: Auth;
let tenantId: TenantId;
let application: Application;
let verifier: Application;

beforeAll(async () => {
  auth = await startAuth();
  ({ tenantId } = await auth.newTenant());
  await auth.newConnection(tenantId);
  application = await auth.newApplication(tenantId);
  verifier = await newMachine();
  auth.provider.is({ sub: 'ada' });
}, 60_000);
afterAll(() => auth.stop());

const newMachine = (owner: TenantId | null = null) =>
  auth.newApplication(owner, { kind: 'machine', grantTypes: ['client_credentials'], redirectUris: [] });
const asked = () => ({ grant_type: 'client_credentials', scope: 'revocations:read', resource: auth.url });

/** Reads until it is stopped. */
async function follow(token: string) {
  const stopped = new AbortController();
  const answer = await fetch(`${auth.url}/revocations`, {
    headers: { authorization: `Bearer ${token}` },
    signal: stopped.signal,
  });
  const revoked: Revocation[] = [];
  const known: string[] = [];
  const ended = (async () => {
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      const events = text.split('\n\n');
      text = events.pop() ?? '';
      for (const one of events) {
        const [, name, data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(one) ?? [];
        if (name === 'revoked') revoked.push(JSON.parse(data) as Revocation);
        if (name === 'known') known.push((JSON.parse(data) as { upTo: string }).upTo);
      }
    }
  })().catch(() => undefined);
  return { answer, revoked, known, ended, stop: () => stopped.abort() };
}

async function sessionThatEnds(): Promise<string> {
  const { claims } = await auth.signIn(application);
  const sid = String(claims['sid']);
  const as = await auth.asPlatform();
  await auth.ask('POST', `/v1/tenants/${tenantId}/sessions/${sid}:terminate`, { as });
  return sid;
}

describe('many that matter', () => {
  const many: Revocation[] = Array.from({ length: 100_000 }, () => ({
    kind: 'session',
    id: newId('session'),
    userId: newId('user'),
    until: '2026-11-27T00:00:00.000Z',
  }));

  /** Served by itself: nobody ends a hundred thousand sessions for it. */
  async function serving() {
    let stopped = 0;
    const follow = (listener: (revocation: Revocation) => void) => {
      for (const one of many) listener(one);
      return () => {
        stopped += 1;
      };
    };
    const route = revocationFeed({ standing: { follow, upToDateAt: () => Date.now() } });
    const server = await listen(
      createServer((_, response) => {
        void route.handle({} as never).then(reply => 'stream' in reply && reply.stream(response as never));
      }),
    );
    return { ...server, stopped: () => stopped };
  }

  test('come whole to who reads slowly, before it is said that all is known', async () => {
    const { url, stop } = await serving();
    const answer = await fetch(url);
    let [text, reads] = ['', 0];
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString('utf8');
      reads += 1;
      if (reads % 50 === 0) await new Promise(resolve => setTimeout(resolve, 5));
      if (text.includes('event: known')) break;
    }
    const [told = ''] = text.split('event: known');
    expect(told.split('event: revoked').length - 1).toBe(many.length);
    await stop();
  }, 30_000);

  test('are kept for nobody who takes nothing', async () => {
    const { url, stop, stopped } = await serving();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => undefined).pause();
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually('it is given up', () => Promise.resolve(stopped() === 1), 20_000);
    socket.destroy();
    await stop();
  }, 30_000);
});

describe('the feed of revocations', () => {
  test('begins with all that matters, says what comes within a second, and how far it knows', async () => {
    const before = await sessionThatEnds();
    const token = (await auth.token(verifier, asked())).body['access_token'] ?? '';
    const feed = await follow(token);
    expect([feed.answer.status, feed.answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    const has = (id: string) => feed.revoked.some(one => one.id === id);
    await eventually('what was before', () => Promise.resolve(has(before)));
    const began = performance.now();
    const after = await sessionThatEnds();
    await eventually('what came', () => Promise.resolve(has(after)));
    expect(performance.now() - began).toBeLessThan(3_000);
    await eventually('two moments', () => Promise.resolve(new Set(feed.known).size > 1));
    expect(Math.abs(Date.parse(feed.known.at(-1) ?? '') - Date.now())).toBeLessThan(10_000);
    feed.stop();
    await feed.ended;
  });

  test('tells of applications and people as well, and of nothing that a token would be made of', async () => {
    const token = (await auth.token(verifier, asked())).body['access_token'] ?? '';
    const feed = await follow(token);
    const gone = await newMachine();
    await auth.ask('DELETE', `/v1/applications/${gone.id}`, { as: await auth.asPlatform() });
    await eventually('the application', () => Promise.resolve(feed.revoked.some(({ id }) => id === gone.id)));
    expect(feed.revoked.find(({ id }) => id === gone.id)).toEqual({
      kind: 'client',
      id: gone.id,
      issuedBefore: null,
      until: expect.any(String),
    });
    feed.stop();
    await feed.ended;
  });

  test('ends for who is revoked itself', async () => {
    const leaving = await newMachine();
    const token = (await auth.token(leaving, asked())).body['access_token'] ?? '';
    const feed = await follow(token);
    expect(feed.answer.status).toBe(200);
    await auth.ask('DELETE', `/v1/applications/${leaving.id}`, { as: await auth.asPlatform() });
    await feed.ended;
  });

  test('is for applications of the platform that serve all and ask for it, and for nobody of a tenant', async () => {
    const own = await newMachine(tenantId);
    const ofSome = await auth.newApplication(null, {
      kind: 'machine',
      grantTypes: ['client_credentials'],
      redirectUris: [],
      tenants: [tenantId],
    });
    for (const asking of [own, ofSome])
      expect(await auth.token(asking, asked())).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
    const status = async (token: string) => {
      const feed = await follow(token);
      feed.stop();
      await feed.ended;
      return feed.answer.status;
    };
    const ofTenant = await auth.token(own, { ...asked(), scope: `tenant:${tenantId}` });
    expect(await status(ofTenant.body['access_token'] ?? '')).toBe(403);
    const without = await auth.token(verifier, { ...asked(), scope: '' });
    expect(await status(without.body['access_token'] ?? '')).toBe(403);
    const { tokens } = await auth.signIn(application, { resource: auth.url, scope: 'openid revocations:read' });
    expect(await status(tokens['access_token'] ?? '')).toBe(403);
    expect(await status('')).toBe(401);
    expect(await status(await auth.asPlatform())).toBe(200);
  });
});
