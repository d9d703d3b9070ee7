// What of a request the access decision gets: policies of the test's own that rest on it.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createAccess } from '@reeve/access';
import { newId, ProblemError } from '@reeve/contracts';
import { callers, type RunningService, startService } from '@reeve/testing';
import { z } from 'zod';
import { createApp } from './app.ts';
import { baseConfig } from './config.ts';
import { createFoundation } from './foundation.ts';
import { tenantRoute } from './route.ts';
import { tenantDirectory } from './tenant-directory.ts';

const access = createAccess(`
@id("recently-and-strongly-at-the-console")
permit (principal is User, action == Action::"users:write", resource is Tenant)
when {
  context.acr == "urn:mfa" && context.surface == "console" &&
  context has signInAgeSeconds && context.signInAgeSeconds < 300
};

@id("whom-the-path-names")
permit (principal is User, action == Action::"users:read", resource is User)
when { principal == resource };
`);
const tenantId = newId('tenant');
const path = `/v1/tenants/${tenantId}/users`;

let service: RunningService;

beforeAll(async () => {
  service = await startService({
    name: 'decision',
    schema: baseConfig,
    create(config, log) {
      const { store, verifyToken, ready, start, stop } = createFoundation('decision', config, { log, contents: {} });
      const app = createApp({
        name: 'decision',
        purpose: 'Is there for tests.',
        config,
        log,
        store,
        verifyToken,
        access,
        async assertSignIn({ action, acr }) {
          if (action !== 'users:read' || acr !== 'urn:password') return;
          const needed = { acrValues: 'urn:mfa', maxAgeSeconds: 60 };
          throw new ProblemError('insufficient_user_authentication', undefined, { needed });
        },
        ready,
        tenants: tenantDirectory(async id =>
          id === tenantId ? { id: tenantId, slug: 'acme', status: 'active' } : null,
        ),
        routes: [
          tenantRoute({
            method: 'post',
            path: '/v1/tenants/{tenantId}/users',
            summary: 'Make somebody',
            action: 'users:write',
            response: z.object({ done: z.boolean() }),
            handle: async () => ({ body: { done: true } }),
          }),
          tenantRoute({
            method: 'get',
            path: '/v1/tenants/{tenantId}/users/{userId}',
            summary: 'Read somebody',
            action: 'users:read',
            resource: { user: 'userId' },
            response: z.object({ id: z.string() }),
            handle: async ({ params: { userId } }) => ({ body: { id: userId } }),
          }),
        ],
      });
      return { app, start, stop };
    },
  });
}, 60_000);
afterAll(() => service.stop());

describe('a decision rests on', () => {
  const secondsAgo = (seconds: number) => Math.floor(Date.now() / 1_000) - seconds;
  const strong = { ...callers.person(tenantId), acr: 'urn:mfa', surface: 'console' };

  test.each([
    ['a recent and strong sign-in at the console', {}, 200],
    ['one of another kind', { acr: 'urn:password' }, 403],
    ['one of no known kind', { acr: undefined }, 403],
    ['one that is too long ago', { auth_time: secondsAgo(301) }, 403],
    ['one of no known time', { auth_time: undefined }, 403],
    ['one by another application', { surface: 'app' }, 403],
    ['one by no known application', { surface: undefined }, 403],
  ])('%s', async (_, claims, status) => {
    expect((await service.ask('POST', path, { as: { ...strong, ...claims } })).status).toBe(status);
  });

  test('how the person has signed in, where the service demands it: the challenge says what is missing (RFC 9470)', async () => {
    const person = callers.person(tenantId);
    const own = `${path}/${person.sub}`;
    expect((await service.ask('GET', own, { as: { ...person, acr: 'urn:mfa' } })).status).toBe(200);
    const weak = { ...person, acr: 'urn:password' };
    const refused = await service.ask('GET', own, { as: weak });
    expect(refused).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } });
    const [bearer, dpop] = (refused.headers.get('www-authenticate') ?? '').split(/, (?=DPoP )/);
    const asked =
      'error="insufficient_user_authentication", error_description="The person has to sign in more surely, or once more", acr_values="urn:mfa", max_age=60';
    expect([bearer, dpop]).toEqual([`Bearer ${asked}`, expect.stringMatching(`^DPoP ${asked}, algs="`)]);
    // Whoever may not at all is told that, and not how to sign in.
    expect((await service.ask('GET', `${path}/${newId('user')}`, { as: weak })).status).toBe(403);
  });

  test('the person whom the path names', async () => {
    const id = newId('user');
    const read = (user: string) => service.ask('GET', `${path}/${user}`, { as: callers.person(tenantId, { id }) });
    expect(await read(id)).toMatchObject({ status: 200, body: { id } });
    expect((await read(newId('user'))).status).toBe(403);
  });
});
