// A route declares in one place who may call it, what it accepts, what is decided about the call, and what kind of
// answer it gives. Everything that comes before and after its handler follows from the declaration (handle-route.ts),
// so no handler can forget it; so do the OpenAPI document and the isolation test. A door that is not declared does not
// exist.
import type { Action } from '@reeve/access';
import type { Cause, Id, IdKind, TenantId } from '@reeve/contracts';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { Words } from './pages/document.ts';
import type { Language } from './pages/language.ts';
import type { PathParameters } from './path.ts';
import type { Caller } from './token-verifier.ts';

/** Makes the ids of what a request creates: the same ones when it is repeated with its Idempotency-Key. */
export type FreshId = <K extends IdKind>(kind: K) => Id<K>;

/**
 * `bearer`: an access token of the issuer. `directory`: the token of a SCIM directory. `browser`: a person's session in
 * a cookie, with CSRF protection. `stranger`: nobody in particular.
 */
type CallerKind = 'bearer' | 'directory' | 'browser' | 'stranger';

/**
 * What a caller gets back, be it an error: JSON, a page for people (or a redirect), SCIM's JSON, or bytes of another
 * form.
 */
export type AnswerKind = 'json' | 'page' | 'redirect' | 'scim' | 'bytes';

/** What the access decision is about. A parameter of the path names the person or the workspace. */
type ResourceKind = 'platform' | 'tenant' | 'own' | { user: string } | { workspace: string };

/** In the language of whoever reads it, or in English alone: a page that puts its very words on record. */
export type Page = (Words | { words: (language: Language) => Words }) & {
  /** Origins that the page's forms lead to besides our own, or `anywhere` where that cannot be known. */
  formAction?: readonly string[] | 'anywhere';
  status?: number;
  /** Origins whose pages may show it inside themselves. Of what has no such page there are none. */
  frameAncestors?: readonly string[];
};

export type Reply<R> =
  | { body: R; version?: number; status?: number; location?: string }
  | { page: Page }
  | { redirect: string }
  /** The handler writes the response itself. */
  | { stream: (response: Response) => Promise<void> | void };

/** What every handler gets. */
export type Asked<P extends string, B, Q> = {
  params: PathParameters<P>;
  body: B;
  query: Q;
  cause: Cause;
  /** The version in If-Match, where the caller sent one. */
  expectedVersion: number | undefined;
  freshId: FreshId;
  /** Aborted when the caller has gone: for work that nobody needs then. */
  signal: AbortSignal;
};

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

type Common<P extends string, B, Q, R> = {
  method: Method;
  path: P;
  summary: string;
  body?: z.ZodType<B>;
  query?: z.ZodType<Q>;
  status?: number;
  response?: z.ZodType<R>;
  /** Media types of the answer, where it is not what its family has: a zip, lines. */
  produces?: readonly string[];
  /** For an answer that shows a secret once: what a retry with the same Idempotency-Key gets instead. */
  withoutSecrets?: (body: R) => R;
  /** Changes one thing that has a version: If-Match is heeded. Elsewhere it is refused. */
  versioned?: boolean;
  /** In words, how much of it is served at a time: more is answered with 429 by whoever serves it. */
  atMost?: string;
};

type CrossOrigin = boolean | 'as the handler says';

/** How a route looks to what serves it. */
export type Route = Common<string, unknown, unknown, unknown> & {
  caller: CallerKind;
  answer: AnswerKind;
  /** Null for a stranger's door, about which nothing is decided. */
  action: Action | null;
  resource: ResourceKind;
  /** Why it is open to everybody: of a stranger's door. */
  open?: string;
  /**
   * Pages of other origins may read it: with a token that names their origin, anybody's where it is open to strangers,
   * or those that the handler says in its answer.
   */
  crossOrigin?: CrossOrigin;
  /** Media types of the body besides application/json. */
  accepts?: readonly string[];
  /** The handler reads the body by itself, and limits it. */
  ownBody?: boolean;
  handle: (asked: HandlerInput) => Promise<Reply<unknown>>;
};

/** Everything that some handler gets; which of it is there follows from the kind of the caller. */
export type HandlerInput = Asked<string, unknown, unknown> & {
  request: Request;
  response: Response;
  tenantId?: TenantId;
  caller?: Caller;
  /** A person at a browser, or a directory, as whoever authenticated it describes it. */
  principal?: unknown;
};

type Bearer<P extends string, B, Q, R> = Common<P, B, Q, R> & { action: Action; crossOrigin?: boolean };
type Handler<I, R> = { handle: (asked: I) => Promise<Reply<R>> };

/**
 * A route under `/v1/tenants/{tenantId}/`: the handler gets the tenant that the path names and the caller may reach.
 */
export function tenantRoute<P extends string, R, B = undefined, Q = Record<string, never>>(
  route: Bearer<P, B, Q, R> & {
    resource?: { user: keyof PathParameters<P> & string } | { workspace: keyof PathParameters<P> & string };
  } & Handler<Asked<P, B, Q> & { tenantId: TenantId; caller: Caller }, R>,
): Route {
  if (!route.path.startsWith('/v1/tenants/{tenantId}')) throw new TypeError(`${route.path} is not below a tenant`);
  return declared({ resource: 'tenant', ...route, caller: 'bearer', answer: 'json' });
}

/** A route of the platform itself, outside any tenant. */
export function platformRoute<P extends string, R, B = undefined, Q = Record<string, never>>(
  route: Bearer<P, B, Q, R> & Handler<Asked<P, B, Q> & { caller: Caller }, R>,
): Route {
  return declared({ ...route, caller: 'bearer', answer: 'json', resource: 'platform' });
}

/**
 * A route whose path is a standard's and names no tenant: it is that of the caller, which the handler gets.
 */
export function ownTenantRoute<P extends string, R, B = undefined, Q = Record<string, never>>(
  route: Bearer<P, B, Q, R> & Handler<Asked<P, B, Q> & { tenantId: TenantId; caller: Caller }, R>,
): Route {
  if (route.path.includes('{tenantId}')) throw new TypeError(`${route.path} is below a tenant`);
  return declared({ ...route, caller: 'bearer', answer: 'json', resource: 'tenant' });
}

/** A route under `/v1/me/`, about what belongs to the person whose access token it is. */
export function ownRoute<P extends string, R, B = undefined, Q = Record<string, never>>(
  route: Bearer<P, B, Q, R> & Handler<Asked<P, B, Q> & { tenantId: TenantId; caller: Caller & { id: Id<'user'> } }, R>,
): Route {
  if (!route.path.startsWith('/v1/me/')) throw new TypeError(`${route.path} is not below /v1/me/`);
  return declared({ ...route, caller: 'bearer', answer: 'json', resource: 'own' });
}

/** Routes of SCIM, for a directory; `D` is what authenticates it. */
export const scimRouteFor =
  <D>() =>
  <P extends string, R, B = undefined, Q = Record<string, never>>(
    route: Common<P, B, Q, R> & Handler<Asked<P, B, Q> & { tenantId: TenantId; principal: D }, R>,
  ): Route =>
    declared({
      ...route,
      caller: 'directory',
      answer: 'scim',
      action: 'directory:push',
      resource: 'tenant',
      accepts: ['application/scim+json'],
    });

/** Pages for a person who is signed in at this browser, about themselves or their tenant; `D` is that person. */
export const browserRouteFor =
  <D>() =>
  <P extends string, B = undefined, Q = Record<string, never>>(
    route: Common<P, B, Q, never> & {
      action: Action;
      answer?: 'page' | 'redirect';
      resource?: 'own' | 'tenant';
    } & Handler<Asked<P, B, Q> & { request: Request; response: Response; tenantId: TenantId; principal: D }, never>,
  ): Route =>
    declared({
      answer: 'page',
      resource: 'own',
      ...route,
      caller: 'browser',
      accepts: ['application/x-www-form-urlencoded'],
    });

/** A door for everybody, which says why. Whoever comes through it is nobody until the handler knows better. */
export function openRoute<P extends string, R, B = undefined, Q = Record<string, unknown>>(
  route: Common<P, B, Q, R> & {
    open: string;
    answer: AnswerKind;
    accepts?: readonly string[];
    ownBody?: boolean;
    crossOrigin?: CrossOrigin;
  } & Handler<Asked<P, B, Q> & { request: Request; response: Response }, R>,
): Route {
  return declared({ ...route, caller: 'stranger', action: null, resource: 'platform' });
}

/** The handlers of a kind get what that kind has; what serves the route gives all of it. */
const declared = (route: object): Route => route as Route;

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z
    .string()
    .regex(/^[\w-]{1,1000}$/, 'is not a cursor of this list')
    .optional(),
});

/** A moment in a query, in any offset; compared as the UTC text that records hold. */
export const instant = z.iso
  .datetime({ offset: true, message: 'must be an RFC 3339 date and time' })
  .transform(text => new Date(text).toISOString());

/** What a list answers, each entry as it is shown. */
export const paged = <S, V>(
  { items, nextCursor }: { items: readonly S[]; nextCursor: string | null },
  viewOf: (entry: S) => V,
) => ({ body: { items: items.map(viewOf), nextCursor } });

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}
