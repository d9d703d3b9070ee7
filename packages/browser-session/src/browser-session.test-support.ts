// A service with two pages, for those who are signed in: one of whichever tenant they are of, and one of a tenant.
import { type Id, isId, newId, ProblemError, type TenantId } from '@reeve/contracts';
import {
  type BaseConfig,
  baseConfig,
  browserRouteFor,
  createApp,
  createFoundation,
  createTenantDirectory,
  html,
  type Logger,
  type Service,
} from '@reeve/service-kit';
import { type Person, startOpenIdProvider, startService } from '@reeve/testing';
import { z } from 'zod';
import { browserSessionRecords, createBrowserSessions, type SignedIn } from './index.ts';

export const name = 'pages';
const client = { clientId: 'pages', clientSecret: 'a secret of the pages' };

function createService(config: BaseConfig, log: Logger): Service {
  const contents = { platformRecords: browserSessionRecords };
  const { store, bus, standing, verifyToken, ready, start, stop } = createFoundation(name, config, { log, contents });
  const tenants = createTenantDirectory(store);
  const browserSessions = createBrowserSessions({
    store,
    standing,
    name,
    selfUrl: config.REEVE_SELF_URL,
    issuer: { url: config.REEVE_ISSUER, ...client },
    async tenantOf({ params: { room } }) {
      if (room === undefined) return null;
      if (!isId('tenant', room)) throw new ProblemError('not_found');
      return room;
    },
  });
  const page = browserRouteFor<SignedIn>();
  const show = ({ name: who, csrfField }: SignedIn, query: object) => ({
    page: {
      title: 'A page',
      content: html`<p>You are ${who}. ${JSON.stringify(query)}</p><form method="post">${csrfField}</form>`,
    },
  });

  const app = createApp({
    name,
    purpose: 'Pages for a test.',
    config,
    log,
    store,
    tenants,
    verifyToken,
    authenticate: { browser: browserSessions.authenticate },
    ready,
    routes: [
      page({
        method: 'get',
        path: '/mine',
        summary: 'A page of whichever tenant the person is of',
        action: 'consents:read',
        handle: async ({ principal, query }) => show(principal, query),
      }),
      page({
        method: 'get',
        path: '/rooms/{room}',
        summary: 'A page of a tenant',
        action: 'consents:read',
        handle: async ({ principal, query }) => show(principal, query),
      }),
      page({
        method: 'post',
        path: '/mine',
        summary: 'A form',
        action: 'consents:write',
        body: z.strictObject({ wish: z.string().default('nothing') }),
        handle: async ({ body: { wish } }) => ({ page: { title: 'Done', content: html`<p>You wished: ${wish}</p>` } }),
      }),
      ...browserSessions.routes,
    ],
  });

  return {
    app,
    async start() {
      await start();
      await bus.subscribe(`${name}.tenants`, tenants.handlers);
      await bus.subscribe(`${name}.browser-sessions`, browserSessions.handlers);
    },
    stop,
  };
}

export type Pages = Awaited<ReturnType<typeof startPages>>;

/** The pages, and the issuer at which people sign in to see them. */
export async function startPages() {
  const issuer = await startOpenIdProvider();
  const service = await startService({ name, schema: baseConfig, create: createService, issuer });
  const { clientId: id, clientSecret: secret } = client;
  issuer.register({ id, secret, redirectUri: `${service.url}/sign-in/callback` });
  return {
    url: service.url,
    issuer,
    async stop() {
      await service.stop();
      await issuer.stop();
    },
  };
}

type User = Person & { sub: Id<'user'>; sid: Id<'session'> };

export const person = (tid: TenantId, change: Partial<Person> = {}): User => ({
  sub: newId('user'),
  sid: newId('session'),
  tid,
  name: 'Ada',
  ...change,
});
