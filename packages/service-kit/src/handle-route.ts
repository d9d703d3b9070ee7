// What happens to a request before and after its handler: one list of steps for every route, read from top to bottom.
import type { Access, Action, Principal, Resource } from '@reeve/access';
import {
  type Actor,
  type AuthenticationNeeded,
  type Cause,
  event,
  newId,
  ProblemError,
  platformTenantId,
  type TenantId,
} from '@reeve/contracts';
import { createRounds, type Store } from '@reeve/store';
import type { Request, RequestHandler, Response } from 'express';
import { type Answer, answerOf, sendAnswer } from './answer.ts';
import { createIdempotency, type Idempotency, idempotencyKeyForm, type Once } from './idempotency.ts';
import { sendPage } from './pages/send-page.ts';
import { areOfTheirForm, readParameters } from './path.ts';
import { createPossessionCheck, type Presented } from './proof-of-possession.ts';
import { readBody } from './read-body.ts';
import type { HandlerInput, Reply, Route } from './route.ts';
import type { KnownTenant, TenantDirectory } from './tenant-directory.ts';
import type { Caller, VerifyToken } from './token-verifier.ts';
import { traceparentOf } from './trace-context.ts';
import { assertNothing, validate } from './validate.ts';

/** Who came: somebody that is known, or a browser that has to sign in first. */
export type Known = {
  principal: Principal;
  actor: Actor;
  sessionId: string | null;
  /** Of a browser's session: a form that changes something has to bring it, in the field `csrf`. */
  csrf?: string;
  /** Where a browser goes for a sign-in that does, where the policy of the tenant demands more of it. */
  signInAgain?: (needed: AuthenticationNeeded) => Promise<string>;
  /** What the handler gets of it. */
  details: unknown;
};

/** `signIn` begins a sign-in at this browser, and says where it has to go for that. */
type NotSignedIn = { signIn: () => Promise<string>; isKnown?: boolean };

export type Authenticate = (exchange: Exchange) => Promise<Known | NotSignedIn>;

export type RouteParts = {
  /** Verified, and still good. */
  verifyToken: VerifyToken;
  access: Access;
  tenants: TenantDirectory;
  store: Store;
  /** What proofs of possession call this service. */
  selfUrl: string;
  /** Throws where a person's sign-in does not do for what they want, by their tenant's policy. */
  assertSignIn?: AssertSignIn;
  /** How the other kinds of callers are known. A service without such routes needs none. */
  authenticate?: { directory?: Authenticate; browser?: Authenticate };
};

export type AssertSignIn = (asked: {
  action: Action;
  tenantId: TenantId;
  acr: string | null;
  signInAgeSeconds: number | null;
}) => Promise<void>;

type Parts = RouteParts & { assertPossession: ReturnType<typeof createPossessionCheck> };

type Exchange = { request: Request; response: Response; params: Record<string, string>; cameAt: Date };

type Who = { known: Known | null; caller: Caller | null };

type Admitted = { who: Who; tenant: KnownTenant | null; cause: Cause };

/**
 * A body may be sent as slowly as its sender likes, an answer may be long in the making and be read slowly, and a right
 * may end meanwhile.
 */
const decideAgainAfterMs = 100;
const decideAgainEveryMs = 1_000;

const nobody: Who = { known: null, caller: null };

export function createRouteHandlers(given: RouteParts) {
  const now = () => given.store.clock.now().getTime();
  const parts: Parts = { ...given, assertPossession: createPossessionCheck({ selfUrl: given.selfUrl, now }) };
  const idempotency = createIdempotency(parts.store);
  return (route: Route): RequestHandler =>
    async (request, response) => {
      response.locals['answers'] = route.answer;
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const params = readParameters(route.path, request.params);
      const exchange = { request, response, params, cameAt: parts.store.clock.now() };
      let admitted = await admit(parts, route, exchange);
      if ('signIn' in admitted) return signInFirst(request, response, admitted);
      await recordPlatformUse(parts, { request, route, ...admitted });
      const query = readQuery(route, request);
      const begun = performance.now();
      const body = await readBody(route, { request, response, csrf: admitted.who.known?.csrf });
      if (performance.now() - begun > decideAgainAfterMs) admitted = await admit(parts, route, exchange);
      if ('signIn' in admitted) return signInFirst(request, response, admitted);
      const { who, tenant, cause } = admitted;
      const input = {
        ...exchange,
        query,
        body,
        expectedVersion: ifMatch(route, request),
        cause,
        signal: gone.signal,
        ...(who.caller ? { caller: who.caller } : {}),
        ...(who.known ? { principal: who.known.details } : {}),
        ...(tenant ? { tenantId: tenant.id } : {}),
      };
      const handle = (freshId: HandlerInput['freshId']) =>
        route.handle({ ...input, freshId }).catch(async (error: unknown) => {
          await recordIfDenied(parts.store, { route, tenant, cause }, error);
          throw error;
        });
      const once = onceOf(route, { request, who, tenant, cause });
      if (once) return sendAnswer(route, response, await runOnce(idempotency, once, handle, route));
      const handling = performance.now();
      const given = await handle(newId);
      // A stranger has no right that could end.
      if ('stream' in given && route.caller === 'stranger') return given.stream(response);
      if ('stream' in given) return whileAdmitted(() => admit(parts, route, exchange), response, given.stream);
      // What was changed stays so, also where a browser that returns from elsewhere changes it by a GET. What was read
      // is shown to nobody who may not have it any more.
      const isRead = request.method === 'GET' && route.caller === 'bearer';
      if (isRead && performance.now() - handling > decideAgainAfterMs) await admit(parts, route, exchange);
      return reply(route, response, given);
    };
}

/** Who it is, in which tenant, and that they may. */
async function admit(parts: Parts, route: Route, exchange: Exchange): Promise<Admitted | NotSignedIn> {
  const { request, response, params } = exchange;
  const who = await identify(parts, route, exchange);
  if ('signIn' in who) return who;
  allowOrigin(route, who, request, response);
  const tenant = await findTenant(parts, route, request, who);
  if (!areOfTheirForm(params)) throw new ProblemError('not_found');
  const asked = causeOf(request, who.known);
  const { signInAgain } = who.known ?? {};
  try {
    const decision = await authorize(parts, { route, who, tenant, params, cause: asked });
    return { who, tenant, cause: decision ? { ...asked, decision } : asked };
  } catch (error) {
    const needed = error instanceof ProblemError ? error.needed : undefined;
    if (!signInAgain || !needed) throw error;
    return { signIn: () => signInAgain(needed), isKnown: true };
  }
}

/** Breaks the answer off when its reader may not have it any more. */
async function whileAdmitted(
  admitAgain: () => Promise<unknown>,
  response: Response,
  stream: (response: Response) => Promise<void> | void,
): Promise<void> {
  const watch = createRounds(async () => {
    await admitAgain().catch(() => response.destroy());
    return decideAgainEveryMs;
  });
  watch.start(decideAgainEveryMs);
  try {
    await stream(response);
  } finally {
    await watch.stop();
  }
}

async function identify(
  { verifyToken, assertPossession, authenticate = {} }: Parts,
  route: Route,
  exchange: Exchange,
): Promise<Who | NotSignedIn> {
  if (route.caller === 'stranger') return nobody;
  if (route.caller === 'bearer') {
    const { scheme, token } = credentialsOf(exchange.request);
    const caller = await verifyToken(token, exchange.cameAt);
    await assertPossession(exchange.request, { scheme, token, boundTo: caller.boundTo ?? null });
    return { caller, known: knownAs(caller) };
  }
  const found = await authenticate[route.caller]?.(exchange);
  if (!found) throw new TypeError(`the service does not know how to tell a ${route.caller}`);
  return 'signIn' in found ? found : { known: found, caller: null };
}

/** A form is not kept while its sender signs in: where nobody is known there is nobody whose form it could be. */
async function signInFirst(request: Request, response: Response, { signIn, isKnown }: NotSignedIn): Promise<void> {
  if (request.method !== 'GET' && !isKnown) throw new ProblemError('csrf_mismatch');
  response.redirect(303, await signIn());
}

function credentialsOf(request: Request): Pick<Presented, 'scheme' | 'token'> {
  const header = request.get('Authorization');
  if (header === undefined) throw new ProblemError('token_missing');
  const [, scheme, token] = /^(Bearer|DPoP) ([\w.~+/=-]+)$/i.exec(header) ?? [];
  if (scheme === undefined || token === undefined) throw new ProblemError('token_invalid');
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'dpop' : 'bearer', token };
}

const vias = { user: 'session', service: 'system', client: 'client', directory: 'client' } as const;

function knownAs(caller: Caller): Known {
  const { type, id, sessionId } = caller;
  const actor: Actor = { type: type === 'directory' ? 'client' : type, id, name: null, via: vias[type] };
  return { principal: caller, actor, sessionId, details: caller };
}

/** A page of another origin reads what is public, and else only by a token that names its origin. */
function allowOrigin(
  { crossOrigin = false, caller: kind }: Route,
  { caller }: Who,
  request: Request,
  response: Response,
): void {
  const origin = request.get('Origin');
  if (crossOrigin !== true || origin === undefined || response.headersSent) return;
  const isPublic = kind === 'stranger';
  if (!isPublic) response.vary('Origin');
  if (!isPublic && !caller?.origins?.includes(origin)) return;
  response.setHeader('Access-Control-Allow-Origin', isPublic ? '*' : origin);
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
}

/**
 * The tenant that is acted in, where there is one: that of the path, which the caller has to be of, or the caller's
 * own. Another tenant's id and an id that nobody has get the same answer.
 */
async function findTenant(
  { tenants, store }: RouteParts,
  route: Route,
  request: Request,
  { known }: Who,
): Promise<KnownTenant | null> {
  if (!known || route.resource === 'platform') return null;
  const { principal } = known;
  const reference = route.path.includes('{tenantId}') ? String(request.params['tenantId']) : principal.tenantId;
  const reachesAll = principal.platform && principal.scopes.includes('platform:admin');
  // A caller of one tenant waits for no other: its own is known, and what is not its own is not looked for.
  const lookedFor = reachesAll ? reference : principal.tenantId;
  if (reference === null || lookedFor === null) throw new ProblemError('not_found');
  const tenant = await tenants.find(lookedFor);
  if (!tenant) throw new ProblemError('not_found');
  if (reference !== tenant.id && reference !== tenant.slug) {
    const rule = { id: null, basis: 'a tenant that is not the caller’s own' };
    await recordDenied(store, { route, tenantId: tenant.id, rule }, causeOf(request, known));
    throw new ProblemError('not_found');
  }
  if (tenant.status !== 'active' && !principal.platform) throw new ProblemError('tenant_suspended');
  return tenant;
}

function resourceOf(
  { resource }: Route,
  { principal, tenant, params }: { principal: Principal; tenant: KnownTenant | null; params: Record<string, string> },
): Resource {
  if (!tenant) return { type: 'platform' };
  const tenantId = tenant.id;
  if (resource === 'own') {
    if (principal.type !== 'user') throw new ProblemError('person_required');
    return { type: 'user', id: principal.id, tenantId };
  }
  if (typeof resource === 'string') return { type: 'tenant', tenantId };
  const idIn = (name: string) => {
    const id = params[name];
    if (id === undefined) throw new TypeError(`the path has no {${name}}, which is decided about`);
    return id;
  };
  return 'user' in resource
    ? { type: 'user', id: idIn(resource.user), tenantId }
    : { type: 'workspace', id: idIn(resource.workspace), tenantId };
}

async function authorize(
  { access, store, assertSignIn }: RouteParts,
  {
    route,
    who: { known, caller },
    tenant,
    params,
    cause,
  }: { route: Route; who: Who; tenant: KnownTenant | null; params: Record<string, string>; cause: Cause },
): Promise<Cause['decision']> {
  const { action } = route;
  if (action === null || !known) return undefined;
  const { principal } = known;
  // Of a person at a browser the service says it itself.
  const person = caller ?? ('authenticatedAt' in principal ? (principal as Caller) : null);
  const at = person?.authenticatedAt ?? null;
  const acr = person?.acr ?? null;
  const signInAgeSeconds = at && (store.clock.now().getTime() - at.getTime()) / 1_000;
  const { allowed, rule, basis } = access.decide({
    principal,
    action,
    resource: resourceOf(route, { principal, tenant, params }),
    context: {
      acr,
      surface: person?.surface ?? null,
      signInAgeSeconds,
    },
  });
  if (allowed) {
    // A machine signs in nowhere.
    if (tenant && principal.type === 'user')
      await assertSignIn?.({ action, tenantId: tenant.id, acr, signInAgeSeconds });
    return { rule, basis };
  }
  const tenantId = tenant?.id ?? principal.tenantId ?? platformTenantId;
  await recordDenied(store, { route, tenantId, rule: { id: rule, basis } }, cause);
  throw new ProblemError('access_denied', `your token does not allow ${action}`);
}

/** In the log of whoever's caller it was: what somebody tries tells more than what they do. */
async function recordDenied(
  store: Store,
  {
    route: { action, summary },
    tenantId,
    rule,
  }: { route: Route; tenantId: TenantId; rule: { id: string | null; basis: string } },
  cause: Cause,
): Promise<void> {
  if (action === null) return;
  const about = { id: action, name: summary, because: 'no_rule_permits', rule, details: { action } } as const;
  await store.recordFact(tenantId, event('access.denied', about), cause);
}

/** A handler denies what only the body shows. */
async function recordIfDenied(
  store: Store,
  { route, tenant, cause }: { route: Route; tenant: KnownTenant | null; cause: Cause },
  error: unknown,
): Promise<void> {
  if (!(error instanceof ProblemError) || error.code !== 'access_denied') return;
  const rule = { id: null, basis: error.message };
  await recordDenied(store, { route, tenantId: tenant?.id ?? platformTenantId, rule }, cause);
}

/**
 * The platform acts only on the record, whatever its token says: the log of the tenant that it reaches into has who,
 * what and the stated reason, and the platform's own log has it of what concerns all tenants.
 */
async function recordPlatformUse(
  { store }: RouteParts,
  { request, route: { action, summary }, who: { known }, tenant, cause }: Admitted & { request: Request; route: Route },
): Promise<void> {
  if (!known?.principal.platform || action === null) return;
  const statedReason = (request.get('Reeve-Reason') ?? 'not stated').slice(0, 200);
  const used = event('access.platform_used', {
    id: action,
    name: summary,
    because: 'platform_client',
    details: { action, statedReason },
  });
  await store.recordFact(tenant?.id ?? platformTenantId, used, cause);
}

/** Null when the connection is gone. A dual-stack socket shows an IPv4 caller as ::ffff:a.b.c.d. */
export function addressOf(request: Request): string | null {
  return request.ip?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}

/** The query as the browser sent it, from the `?` on: what a relying party compares with what it has sent out. */
export function searchOf({ originalUrl }: Request): string {
  const at = originalUrl.indexOf('?');
  return at === -1 ? '' : originalUrl.slice(at);
}

export function requestIdOf(request: Request): string {
  return String(request.res?.getHeader('Reeve-Request-Id') ?? newId('request'));
}

/**
 * The correlation id is ours: what the caller sends as a trace is kept beside it, and joins nobody's records to
 * another's.
 */
export function causeOf(request: Request, known: Pick<Known, 'principal' | 'actor' | 'sessionId'> | null): Cause {
  const requestId = requestIdOf(request);
  const clientId = known && 'clientId' in known.principal ? (known.principal.clientId as string) : null;
  return {
    actor: known?.actor ?? { type: 'stranger', id: null, name: null, via: 'client' },
    context: {
      ip: addressOf(request),
      userAgent: request.get('User-Agent')?.toWellFormed().slice(0, 300) ?? null,
      sessionId: known?.sessionId ?? null,
      connectionId: null,
      clientId,
      requestId,
    },
    correlationId: requestId,
    traceparent: traceparentOf(request),
  };
}

function readQuery(route: Route, request: Request): unknown {
  if (route.query) return validate(route.query, request.query, 'query');
  // An identity provider adds to our callbacks what it likes.
  if (route.caller === 'stranger' || route.caller === 'browser') return request.query;
  return assertNothing(request.query, 'query');
}

/** The comparison is strong (RFC 9110 §13.1.1), but in SCIM, whose ETags are weak (RFC 7644 §3.14). */
function ifMatch(route: Route, request: Request): number | undefined {
  const header = request.get('If-Match');
  if (header === undefined || header === '*') return undefined;
  if (!route.versioned) throw new ProblemError('precondition_unsupported');
  const form = route.answer === 'scim' ? /^(?:W\/)?"(\d{1,15})"$/ : /^"(\d{1,15})"$/;
  const version = form.exec(header)?.[1];
  if (version === undefined) throw new ProblemError('precondition_failed', 'If-Match is not one of our ETags');
  return Number(version);
}

/** Null without an Idempotency-Key. */
function onceOf(
  route: Route,
  { request, who: { known }, tenant, cause }: Admitted & { request: Request },
): Once | null {
  const key = request.get('Idempotency-Key');
  if (key === undefined || request.method === 'GET' || !known || route.answer !== 'json') return null;
  if (!idempotencyKeyForm.test(key))
    throw new ProblemError('input_invalid', undefined, {
      errors: [{ field: 'Idempotency-Key', message: 'must be 1 to 200 printable ASCII characters' }],
    });
  const { type, id } = known.principal;
  return {
    tenantId: tenant?.id ?? platformTenantId,
    scope: `${type} ${id} ${request.method} ${request.path}`,
    key,
    request: JSON.stringify(request.body ?? null),
    cause,
  };
}

function runOnce(
  idempotency: Idempotency,
  once: Once,
  handle: (freshId: HandlerInput['freshId']) => Promise<Reply<unknown>>,
  route: Route,
): Promise<Answer> {
  return idempotency.once(once, async freshId => {
    const given = await handle(freshId);
    if (!('body' in given)) throw new ProblemError('input_invalid', 'this operation takes no Idempotency-Key');
    const answer = answerOf(route, given);
    return { answer, kept: route.withoutSecrets ? { ...answer, body: route.withoutSecrets(answer.body) } : answer };
  });
}

function reply(
  route: Route,
  response: Response,
  given: Exclude<Reply<unknown>, { stream: unknown }>,
): void | Promise<void> {
  if ('redirect' in given) return response.redirect(303, given.redirect);
  if ('page' in given) return sendPage(response, given.page);
  sendAnswer(route, response, answerOf(route, given));
}
