// The browser's way through a sign-in: /interaction/{uid} begins it, the callback of a kind brings it back, and
// /interaction/{uid}/return/{connectionId} goes on. The callback only redirects: the cookie that binds a sign-in to its
// browser has the interaction's path, so what came back is used where that cookie is checked. Otherwise whoever begins
// a sign-in could have somebody else end it (login CSRF).
import { randomBytes } from 'node:crypto';
import { event, ProblemError, type SignInFailure } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { causeOf, openRoute, type Reply, type Route, searchOf } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import type { Request, Response } from 'express';
import { errors, type InteractionResults, type default as Provider } from 'oidc-provider';
import type { Attempt, RecordAttempt } from '../attempts/attempt.ts';
import { signInCauseOf, signInFailureOf } from '../attempts/cause-of.ts';
import type { ClientDirectory } from '../clients/client-directory.ts';
import { isTestId, type TestSignIn, testReturnPath } from '../connection-tests/test-sign-in.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { KindName, Kinds } from '../connections/kinds/registry.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import type { SessionRef } from '../sessions/live-sessions.ts';
import { type Advanced, advance, SignInError } from './dispatch.ts';
import { meaningOf } from './failure-meaning.ts';
import { type PageParts, showPagesOf } from './pages-of.ts';
import { newSignIn, type SignIn, type SignInRecords } from './sign-in.ts';
import type { SignedIn, Steps } from './step.ts';
import { hashOf, isBroughtHere, ticketName } from './ticket.ts';
import { startedElsewhere, type UnsolicitedParts } from './unsolicited.ts';

type Parts = UnsolicitedParts & {
  recordAttempt: RecordAttempt;
  testSignIn: TestSignIn;
  provider: Provider;
  clients: ClientDirectory;
  brands: PageParts['brands'];
  kinds: Kinds;
  records: SignInRecords;
  steps: Steps;
  store: Pick<Store, 'recordFact' | 'clock'>;
};
type Came = {
  request: Request;
  response: Response;
  uid: string;
  returnedBy: string | null;
  answer: URLSearchParams;
};
type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** Of an application that does not say in what kind of place people use it. */
const unsaidSurface = 'application';

/** Of what an identity provider has the browser post: an assertion with the groups of a person may be long. */
const readPosted = formReader('400kb');
const readAnswer = formReader('4kb');
const longestEmail = 320;

const open = 'nobody is known yet; a cookie of the path binds it to the browser that it began in';

export function signInRoutes(parts: Parts): Route[] {
  const { kinds } = parts;
  const common = { method: 'get', answer: 'page' } as const;
  return [
    openRoute({
      ...common,
      path: '/interaction/{uid}',
      summary: 'Sign in: to the identity provider, or a page that asks which',
      open,
      handle: ({ request, response, params: { uid } }) =>
        goOn(parts, { request, response, uid, returnedBy: null, answer: new URLSearchParams() }),
    }),
    openRoute({
      ...common,
      method: 'post',
      path: '/interaction/{uid}',
      summary: 'The same, with what the person has filled in',
      open,
      ownBody: true,
      accepts: [formType],
      async handle({ request, response, params: { uid } }) {
        const answer = await readAnswer(request);
        return goOn(parts, { request, response, uid, returnedBy: null, answer });
      },
    }),
    openRoute({
      ...common,
      path: '/interaction/{uid}/leave',
      summary: 'Back to the application, which is told why nobody was signed in',
      open,
      handle: ({ request, response, params: { uid } }) => leave(parts, { request, response, uid }),
    }),
    openRoute({
      ...common,
      path: '/interaction/{uid}/return/{connectionId}',
      summary: 'Go on with what the identity provider sent back',
      open,
      handle: ({ request, response, params: { uid, connectionId } }) =>
        goOn(parts, { request, response, uid, returnedBy: connectionId, answer: new URLSearchParams() }),
    }),
    ...(Object.keys(kinds) as KindName[]).map(name => callbackOf(name, parts)),
  ];
}

function callbackOf(by: KindName, parts: Parts): Route {
  const { kinds, records, testSignIn } = parts;
  const kind: ConnectionKind = kinds[by];
  const common = {
    path: kind.callbackPath('{connectionId}') as '/callback/{connectionId}',
    summary: 'Where an identity provider sends the browser back to',
    open: 'it only leads on to the sign-in that the answer names',
  };
  const back = (uid: string, connectionId: string) =>
    isTestId(uid) ? testReturnPath(uid, connectionId) : `/interaction/${uid}/return/${connectionId}`;
  if (kind.callbackMethod === 'get')
    return openRoute({
      ...common,
      method: 'get',
      answer: 'page',
      async handle({ request, params: { connectionId } }) {
        const search = searchOf(request);
        const uid = kind.signInIdOf(new URLSearchParams(search));
        if (uid === null) throw expired();
        return { redirect: back(uid, connectionId) + search };
      },
    });
  return openRoute({
    ...common,
    method: 'post',
    answer: 'redirect',
    ownBody: true,
    accepts: [formType],
    async handle({ request, params: { connectionId } }) {
      const form = await readPosted(request);
      const uid = kind.signInIdOf(form);
      if (uid === null && kind.takeUnsolicited) return startedElsewhere(parts, { request, connectionId, by, form });
      // The browser that brings it has to be the one that began the sign-in, by its cookie, and the other way round:
      // else whoever begins one could have somebody else's answer brought, and use it.
      const ticket = randomBytes(16).toString('base64url');
      const kept = { by, connectionId, brought: form.toString(), broughtBy: hashOf(ticket) };
      const isKept = uid !== null && (await (isTestId(uid) ? testSignIn : records).bring(uid, kept));
      if (!isKept) throw expired();
      return { redirect: `${back(uid, connectionId)}?${new URLSearchParams({ [ticketName]: ticket })}` };
    },
  });
}

function goOn(parts: Parts, came: Came): Promise<Reply<never>> {
  return inRequestScope(causeOf(came.request, null), async () => {
    try {
      return await advanced(parts, came);
    } finally {
      await requestScope().flush();
    }
  });
}

async function advanced(parts: Parts, came: Came): Promise<Reply<never>> {
  const { provider, records, steps } = parts;
  const { request, uid, returnedBy, answer } = came;
  const interaction = await interactionOf(parts, came);
  // A form that was posted twice has two returns, of which the last one counts.
  const isMeant = (signIn: SignIn) => isBroughtHere(signIn, searchOf(request));
  // The applications are the product's own: what they ask for is granted without a page.
  if (interaction.prompt.name === 'consent') return finish(parts, came, { consent: {} });
  const signIn =
    returnedBy === null
      ? ((answer.has('link') ? await records.findAsking(uid) : null) ?? (await begun(parts, interaction)))
      : await records.takeReturn(uid, isMeant);
  if (!signIn) throw expired();
  showPagesOf(parts, came.response, { uid, signIn });
  const asked = {
    uid,
    signIn,
    answer,
    search: searchOf(request),
    returnedBy,
    cause: { ...requestScope().cause, correlationId: uid },
    current: () => currentSession(provider, came),
  };
  try {
    return await answered(parts, came, await advance(steps, asked));
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    await failed(parts, uid, error);
    throw problemOf(error.cause);
  }
}

/** RFC 6749 §4.1.2.1: the application gets an error, with our stable reason as its description. */
function leave(parts: Parts, came: Pick<Came, 'request' | 'response' | 'uid'>): Promise<Reply<never>> {
  return inRequestScope(causeOf(came.request, null), async () => {
    const interaction = await interactionOf(parts, came);
    const reason = await parts.records.failureOf(interaction.uid);
    if (reason === null) throw expired();
    const error = errorsOf[reason] ?? 'access_denied';
    const redirect = await finish(parts, came, { error, error_description: reason });
    await requestScope().flush();
    return redirect;
  });
}

/** What is not about the person. */
const errorsOf: Partial<Record<SignInFailure, string>> = {
  provider_unreachable: 'temporarily_unavailable',
  provider_timeout: 'temporarily_unavailable',
  dependency_unavailable: 'temporarily_unavailable',
  internal: 'server_error',
  authentication_too_old: 'login_required',
};

/** The provider's, if it belongs to this browser. Throws `sign_in_expired`. */
async function interactionOf(
  { provider }: Parts,
  { request, response, uid }: Pick<Came, 'request' | 'response' | 'uid'>,
): Promise<Interaction> {
  const interaction = await provider.interactionDetails(request, response).catch((error: unknown) => {
    throw error instanceof errors.SessionNotFound ? expired(error) : error;
  });
  if (interaction.uid !== uid) throw expired();
  return interaction;
}

/** Of the browser as it is now: in another tab somebody may have signed in since this one began. */
async function currentSession(
  provider: Provider,
  { request, response }: Pick<Came, 'request' | 'response'>,
): Promise<SessionRef | null> {
  return sessionOfLogin(await provider.Session.get(provider.createContext(request, response)));
}

const expired = (cause?: unknown) => new ProblemError('sign_in_expired', undefined, { cause });

/** A sign-in that begins, or begins anew because the person went back. */
async function begun({ clients, store }: Parts, { params, prompt }: Interaction): Promise<SignIn> {
  const clientId = textOf(params['client_id']) ?? 'unknown';
  const client = await clients.find(clientId);
  const maxAge = params['max_age'] === undefined ? Number.NaN : Number(params['max_age']);
  const [loginHint, acrValues] = [textOf(params['login_hint']), textOf(params['acr_values'])];
  const uiLocales = localesOf(params['ui_locales']);
  const isLink = params['link'] === 'true';
  return newSignIn({
    startedAt: store.clock.now().toISOString(),
    clientId,
    surface: client?.surface ?? unsaidSurface,
    boundTo: client?.tenantId ?? null,
    tenantAsked: textOf(params['tenant']),
    connectionAsked: textOf(params['connection']),
    authKeyAsked: textOf(params['auth_key']),
    domainAsked: textOf(params['domain']),
    linkAsked: isLink,
    wish: {
      again: isLink || prompt.reasons.includes('login_prompt') || prompt.reasons.includes('session_not_live'),
      // Whoever is still signed in there may be somebody else.
      isDemanded: isLink || prompt.reasons.includes('login_prompt'),
      ...(loginHint === null ? {} : { loginHint }),
      ...(acrValues === null ? {} : { acrValues }),
      ...(uiLocales === null ? {} : { uiLocales }),
      ...(isAsked(params['prompt'], 'select_account') ? { selectAccount: true } : {}),
      ...(Number.isSafeInteger(maxAge) ? { maxAgeSeconds: maxAge } : {}),
    },
  });
}

async function answered(parts: Parts, came: Came, advanced_: Advanced): Promise<Reply<never>> {
  const { records } = parts;
  const { signIn } = advanced_;
  await records.save(came.uid, 'signedIn' in advanced_ ? null : signIn);
  if (!('page' in advanced_))
    await record(parts, came.uid, signIn, { outcome: 'signedIn' in advanced_ ? 'succeeded' : 'under_way' });
  if ('page' in advanced_) return { page: advanced_.page };
  if ('leaveFor' in advanced_) {
    const { leaveFor } = advanced_;
    return typeof leaveFor === 'string' ? { redirect: leaveFor } : { page: leaveFor };
  }
  // Whoever has signed in has chosen an account, if they were to.
  return finish(parts, came, { login: loginOf(advanced_.signedIn), select_account: {} });
}

/** What the provider keeps as the result; it hands on what it does not know. */
function loginOf({ userId, amr, acr, authenticatedAt, tenantId, sessionId }: SignedIn) {
  const ts = Math.floor(Date.parse(authenticatedAt) / 1_000);
  return { accountId: userId, amr, ...(acr === null ? {} : { acr }), ts, tenantId, sessionId };
}

async function finish(
  { provider }: Parts,
  { request, response }: Pick<Came, 'request' | 'response'>,
  result: InteractionResults,
): Promise<Reply<never>> {
  const options = { mergeWithLastSubmission: 'consent' in result };
  return { redirect: await provider.interactionResult(request, response, result, options) };
}

/** On the record, and over: what came back may not be tried again. */
async function failed(parts: Parts, uid: string, { signIn, cause, asked }: SignInError): Promise<void> {
  const { records, store } = parts;
  const step = signInFailureOf(cause);
  await records.fail(uid, step);
  const why = signInCauseOf(step, cause instanceof StepError ? cause.seen : {});
  await record(parts, uid, signIn, { outcome: 'failed', reason: step, cause: why });
  const { tenantId, connectionId: id, method, identity } = signIn;
  if (tenantId === null || id === null) return;
  // A subject has 255 characters at most (OpenID Connect Core §2).
  const identityId = identity && `${id}/${identity.subject.slice(0, 255)}`;
  const details = { method: method ?? 'unknown', step, identityId, cause: why };
  await store.recordFact(tenantId, event('sign_in.failed', { id, because: step, details }), asked);
}

/** For administrators of the tenant, once it is known which that is. */
async function record(
  { recordAttempt, store }: Parts,
  uid: string,
  { tenantId, startedAt, connectionId, method, clientId, wish, identity, said, person, trace }: SignIn,
  become: Pick<Attempt, 'outcome'> & Partial<Pick<Attempt, 'reason' | 'cause'>>,
): Promise<void> {
  if (tenantId === null) return;
  const { ip, userAgent, requestId } = requestScope().cause.context;
  const attempt: Attempt = {
    reason: null,
    cause: null,
    ...become,
    startedAt,
    updatedAt: store.clock.now().toISOString(),
    connectionId,
    method,
    clientId,
    userId: person?.userId ?? null,
    email: (person?.email ?? identity?.email ?? wish.loginHint ?? null)?.toLowerCase().slice(0, longestEmail) ?? null,
    ip,
    userAgent,
    reference: requestId,
    steps: trace,
    said: become.outcome === 'succeeded' ? said : null,
  };
  requestScope().writeLater(`attempt ${uid}`, () => recordAttempt(tenantId, uid, attempt));
}

const problemOf = (error: unknown): unknown =>
  error instanceof StepError
    ? new ProblemError('sign_in_failed', undefined, { cause: error, ...meaningOf(error.step) })
    : error;

const isAsked = (prompt: unknown, name: string): boolean => (textOf(prompt) ?? '').split(' ').includes(name);

/** A list of language tags (BCP 47); what is none is not handed on. */
function localesOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && text.length <= 200 && /^[a-z\d]+(-[a-z\d]+)*( [a-z\d]+(-[a-z\d]+)*)*$/i.test(text)
    ? text
    : null;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
