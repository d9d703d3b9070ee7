// Signs people in to an application that has a server, and knows them again: a backend for frontend. Middleware of
// Node's requests and answers, as Express has it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusalOf } from './challenge.ts';
import { ReeveError } from './errors.ts';
import { assertSecure, type Fetch } from './issuer.ts';
import { createCookie } from './session/cookies.ts';
import { createLogoutTokens } from './session/logout-token.ts';
import { assertFromOwnPage, changesSomething, pageOf } from './session/own-pages.ts';
import { fieldOf, readForm, type WithBody } from './session/read-form.ts';
import { createRelyingParty, type Pending } from './session/relying-party.ts';
import { keyFor, newSecret, seal, unseal } from './session/sealing.ts';
import { type BrowserSession, createSessions, type Found } from './session/sessions.ts';
import { createMemoryStore, type SessionStore } from './session/store.ts';

export type { Claims } from './session/relying-party.ts';
export type { BrowserSession } from './session/sessions.ts';
export { createMemoryStore, type SessionStore, type StoredEntry } from './session/store.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who is signed in at the browser, behind `middleware` of `createBrowserSessions`. */
      reeveSession?: BrowserSession;
    }
  }
}

export type BrowserSessionOptions = {
  issuer: string;
  /** A `web` application, with the redirect URI `{publicUrl}{basePath}/callback`. */
  clientId: string;
  clientSecret: string;
  /** Where browsers find this application: an origin. */
  publicUrl: string;
  /** Where its own routes are; `/auth` unless said. */
  basePath?: string;
  /** Shared by all processes of the application. Unless said, in the memory of this one. */
  store?: SessionStore;
  scope?: string;
  /** The API that access tokens are for, where it is not the `defaultResource` of the application. */
  resource?: string;
  /** How long somebody is signed in here at most; eight hours unless said. */
  lifetimeSeconds?: number;
  /** Of the cookie; `session` unless said. */
  cookieName?: string;
  fetch?: Fetch;
  now?: () => number;
};

type Request = IncomingMessage & { originalUrl?: string; body?: unknown; reeveSession?: BrowserSession };
type Next = (error?: unknown) => void;
type Handler = (request: Request, response: ServerResponse, url: URL) => Promise<void>;

const signInMs = 600_000;
/** What a link may say of a sign-in; everything else is the application's to say. */
const passedOn = ['tenant', 'login_hint', 'acr_values', 'max_age', 'prompt'];

export function createBrowserSessions(options: BrowserSessionOptions) {
  const { issuer, clientId, clientSecret, resource, now = () => Date.now() } = options;
  const { basePath = '/auth', scope = 'openid email profile', cookieName = 'session' } = options;
  const { store = createMemoryStore({ now }), lifetimeSeconds = 28_800 } = options;
  const fetch: Fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
  assertSecure(issuer);
  const { origin, protocol } = assertSecure(options.publicUrl);
  const secure = protocol === 'https:';
  const sessionCookie = createCookie(cookieName, { secure, seconds: lifetimeSeconds });
  const signInCookie = createCookie(`${cookieName}_sign_in`, { secure, seconds: signInMs / 1_000 });
  const postLogoutUri = `${origin}/`;
  const redirectUri = `${origin}${basePath}/callback`;
  const registered = { issuer, clientId, clientSecret, redirectUri, postLogoutUri, scope, resource };
  const relyingParty = createRelyingParty({ ...registered, fetch, now });
  const logoutTokens = createLogoutTokens({ issuer, clientId, fetch });
  const sessions = createSessions({ store, relyingParty, lifetimeMs: lifetimeSeconds * 1_000, now });

  const urlOf = (request: Request) => new URL(request.originalUrl ?? request.url ?? '/', origin);

  function redirect(response: ServerResponse, location: string) {
    response.writeHead(303, { location, 'cache-control': 'no-store' }).end();
  }

  async function find(request: Request): Promise<Found | null> {
    const secret = sessionCookie.read(request);
    return secret === null ? null : sessions.find(secret);
  }

  const beginSignIn: Handler = async (request, response, { searchParams }) => {
    const more = passedOn.flatMap(name => {
      const value = searchParams.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    const returnTo = pageOf(origin, searchParams.get('return_to'));
    const { url, pending } = await relyingParty.begin(returnTo, Object.fromEntries(more));
    // The same for every sign-in of this browser: pages in two tabs do not keep each other out.
    const browser = signInCookie.read(request) ?? newSecret();
    const until = new Date(now() + signInMs);
    await store.add(keyFor('sign-in', pending.state), { value: await seal(browser, pending), until });
    signInCookie.write(response, browser);
    redirect(response, url);
  };

  const completeSignIn: Handler = async (request, response, url) => {
    const state = url.searchParams.get('state');
    const browser = signInCookie.read(request);
    const key = keyFor('sign-in', state ?? '');
    const begun = browser === null ? null : await store.get(key);
    // Another browser that comes with the same address reads nothing, and takes nothing from its owner.
    const pending = browser !== null && begun ? await unseal<Pending>(browser, begun.value) : null;
    if (!pending || !(await store.take(key))) throw new ReeveError('sign_in_failed', 'it began elsewhere, or is over');
    const signedIn = await relyingParty.complete(url, pending);
    const former = sessionCookie.read(request);
    if (former !== null) await sessions.end(former);
    sessionCookie.write(response, await sessions.begin(signedIn));
    redirect(response, pending.returnTo);
  };

  const signOut: Handler = async (request, response) => {
    const found = await find(request);
    const token = request.headers['x-csrf-token'] ?? (await readForm(request, 'csrf'));
    if (!found) return redirect(response, postLogoutUri);
    assertFromOwnPage(request, { origin, expected: found.kept.csrf, token: String(token) });
    await sessions.end(found.secret);
    sessionCookie.clear(response);
    redirect(response, await relyingParty.signOutUrl(found.kept.tokens.idToken));
  };

  const backChannelLogout: Handler = async (request, response) => {
    const token = await readForm(request, 'logout_token');
    if (token === undefined) throw new ReeveError('logout_token_invalid', 'there is none');
    const { who, jti, until } = await logoutTokens(token, { jwksUri: await relyingParty.jwksUri(), now: now() });
    const key = keyFor('logout', jti);
    // One that comes again ends nothing that began since. It is remembered last: what was cut off is done once more.
    if (!(await store.get(key))) await store.removeAllOf(who);
    await store.add(key, { value: '', until });
    response.writeHead(200, { 'cache-control': 'no-store' }).end();
  };

  const routes: Record<string, Handler> = {
    [`GET ${basePath}/sign-in`]: beginSignIn,
    [`GET ${basePath}/callback`]: completeSignIn,
    [`POST ${basePath}/sign-out`]: signOut,
    [`POST ${basePath}/back-channel-logout`]: backChannelLogout,
  };

  async function handle(request: Request, response: ServerResponse): Promise<boolean> {
    const url = urlOf(request);
    const route = routes[`${request.method} ${url.pathname}`];
    if (route) {
      await route(request, response, url);
      return true;
    }
    const found = await find(request);
    if (!found) return false;
    if (changesSomething(request.method)) {
      const token = request.headers['x-csrf-token'] ?? fieldOf(request, 'csrf');
      assertFromOwnPage(request, { origin, expected: found.kept.csrf, token: String(token) });
    }
    request.reeveSession = sessions.shown(found);
    return false;
  }

  return {
    /**
     * Before everything that asks who is signed in, and behind the parser of forms, where there are forms. Answers
     * `{basePath}/sign-in`, `/callback`, `/sign-out` and `/back-channel-logout`; anywhere else it says in
     * `request.reeveSession` who it is, and refuses whatever changes something without the session's CSRF value (403).
     * Where a person would see it, a refusal (`ReeveError`) goes to the error handler of the application.
     */
    async middleware(request: Request, response: ServerResponse, next: Next): Promise<void> {
      try {
        if (!(await handle(request, response))) next();
      } catch (error) {
        // A person sees a page of the application, and no JSON.
        if (isPage(request)) return next(error);
        refuse(error, response, next);
      }
    },

    /** Lets on whoever is signed in. Sends everybody else to sign in, or, where a script asks, answers 401. */
    required(request: Request, response: ServerResponse, next: Next): void {
      if (request.reeveSession) return next();
      if (!isPage(request)) return refuse(new ReeveError('session_missing'), response, next);
      const { pathname, search } = urlOf(request);
      const asked = new URLSearchParams({ return_to: pathname + search });
      redirect(response, `${origin}${basePath}/sign-in?${asked}`);
    },
  };
}

const isPage = ({ method, headers }: Request): boolean =>
  method === 'GET' && (headers.accept ?? '').includes('text/html');

function refuse(error: unknown, response: ServerResponse, next: Next): void {
  const refusal = refusalOf(error);
  if (!refusal) return next(error);
  response.writeHead(refusal.status, refusal.headers).end(refusal.body);
}

/** Who is signed in. Throws where `required` does not stand before the handler. */
export function signedIn(request: WithBody & { reeveSession?: BrowserSession }): BrowserSession {
  if (!request.reeveSession) throw new Error('nobody is signed in here: `required` is missing before this handler');
  return request.reeveSession;
}
