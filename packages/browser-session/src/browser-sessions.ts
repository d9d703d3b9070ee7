// Who is at the browser of a service that has pages: people sign in at our own OpenID provider, and what came of it
// is kept here, behind an unguessable cookie. It ends with the session at the provider, and counts only while the
// person is still good. Every form of theirs carries the session's CSRF value, which the kit compares.
import { type Id, ProblemError, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Authenticate, type Caller, type Html, html, openRoute, type Standing } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import type { Request } from 'express';
import { createCookies } from './cookies.ts';
import { createOwnIssuer } from './own-issuer.ts';
import { hashOf, type Session, sessionRecords } from './records.ts';
import { createSignIn } from './sign-in.ts';

/** Whoever is signed in, as the handler of a page gets them. */
export type SignedIn = {
  /** Of this session at this browser; whoever sends a redirect out binds what returns to it. */
  browserSessionId: string;
  userId: Id<'user'>;
  tenantId: TenantId;
  name: string;
  sessionId: Id<'session'>;
  /** For each form. */
  csrfField: Html;
};

/**
 * Which tenant a page belongs to, asked before anybody is signed in; null for a page of whichever tenant the person
 * is of. `params` are those of its path, or none where one of them is no id. Throws for a page that is not there.
 */
export type TenantOf = (asked: {
  request: Request;
  params: Readonly<Record<string, string>>;
}) => Promise<TenantId | null>;

type Parts = {
  store: Store;
  standing: Pick<Standing, 'now'>;
  /** Of the service, in the names of its cookies. */
  name: string;
  selfUrl: string;
  /** `address` is where the issuer is found inside the network. */
  issuer: { url: string; address?: string | undefined; clientId: string; clientSecret: string };
  tenantOf: TenantOf;
};

const callbackPath = '/sign-in/callback';

export function createBrowserSessions({ store, standing, name, selfUrl, issuer, tenantOf }: Parts) {
  const sessions = store.platformRecords(sessionRecords);
  const cookies = createCookies(name, selfUrl);
  const ownIssuer = createOwnIssuer({ ...issuer, redirectUri: selfUrl + callbackPath });
  const signIn = createSignIn({ store, issuer: ownIssuer, cookies });

  /** With the standing that the person has now; null when they are no longer good. */
  async function callerOf({ userId, tenantId, sid }: Session): Promise<Caller | null> {
    const { clientId } = issuer;
    try {
      return await standing.now({ ...withoutToken, type: 'user', id: userId, tenantId, sessionId: sid, clientId });
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'token_invalid') return null;
      throw error;
    }
  }

  async function find(request: Request): Promise<{ id: string; session: Session; caller: Caller } | null> {
    const secret = cookies.session.read(request);
    if (secret === null) return null;
    const id = hashOf(secret);
    const found = await sessions.get(id);
    const caller = found && (await callerOf(found.row));
    if (caller) return { id, session: found.row, caller };
    // A revocation is known for as long as an access token lives. This session would live longer, and count again.
    if (found) await sessions.remove(id);
    return null;
  }

  const authenticate: Authenticate = async ({ request, response, params }) => {
    const tenantId = await tenantOf({ request, params });
    const found = await find(request);
    if (!found || (tenantId !== null && found.session.tenantId !== tenantId))
      return { signIn: () => signIn.begin(request, response, tenantId) };
    const { id: browserSessionId, session, caller } = found;
    const { csrf, sid: sessionId, ...person } = session;
    const csrfField = html`<input type="hidden" name="csrf" value="${csrf}">`;
    const details: SignedIn = { browserSessionId, sessionId, csrfField, ...person };
    return {
      principal: caller,
      actor: { type: 'user', id: person.userId, name: person.name, via: 'session' },
      sessionId,
      csrf,
      details,
    };
  };

  return {
    authenticate,

    routes: [
      openRoute({
        method: 'get',
        path: callbackPath,
        summary: 'Where our issuer returns people who sign in to see a page',
        open: 'whoever comes is known by what they bring: a state that this browser was given, and a code of our issuer',
        answer: 'redirect',
        handle: async ({ request, response }) => ({ redirect: await signIn.complete(request, response) }),
      }),
    ],

    handlers: {
      'session.revoked': ({ data }) => sessions.removeBy('sid', data.target.id),
      'session.expired': ({ data }) => sessions.removeBy('sid', data.target.id),
      'user.deactivated': ({ data }) => sessions.removeBy('userId', data.target.id),
      'user.deleted': ({ data }) => sessions.removeBy('userId', data.target.id),
    } satisfies Handlers as Handlers,
  };
}

/** A person at a browser brings no token that would say how they signed in, and does what belongs to themselves. */
const withoutToken = {
  scopes: ['tenant'],
  roles: [],
  platform: false,
  acr: null,
  authenticatedAt: null,
  clientTokensFrom: null,
  surface: null,
} as const;
