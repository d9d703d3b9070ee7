// The browser's way through a sign-in: /interaction/{uid} begins it, the callback of a kind brings it back, and
// /interaction/{uid}/return/{connectionId} goes on. The callback only redirects: the cookie that binds a sign-in to its
// browser has the interaction's path, so what came back is used where that cookie is checked. Otherwise whoever begins
// a sign-in could have somebody else end it (login CSRF).
import { event, eventTypes, ProblemError, type SignInFailure } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { causeOf, openRoute, type Reply, type Route, searchOf, toProblem } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import type { Request, Response } from 'express';
import { errors, type InteractionResults, type default as Provider } from 'oidc-provider';
import type { ClientDirectory } from '../clients/client-directory.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import type { SessionRef } from '../sessions/live-sessions.ts';
import { type Advanced, advance, SignInError } from './dispatch.ts';
import { newSignIn, type SignIn, type SignInRecords } from './sign-in.ts';
import type { SignedIn, Steps } from './step.ts';

type Parts = {
  provider: Provider;
  clients: ClientDirectory;
  kinds: Kinds;
  records: SignInRecords;
  steps: Steps;
  store: Pick<Store, 'recordFact' | 'clock'>;
};
type Came = { request: Request; response: Response; uid: string; returnedBy: string | null };
type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** Of an application that does not say in what kind of place people use it. */
const unsaidSurface = 'application';

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
      handle: ({ request, response, params: { uid } }) => goOn(parts, { request, response, uid, returnedBy: null }),
    }),
    openRoute({
      ...common,
      path: '/interaction/{uid}/return/{connectionId}',
      summary: 'Go on with what the identity provider sent back',
      open,
      handle: ({ request, response, params: { uid, connectionId } }) =>
        goOn(parts, { request, response, uid, returnedBy: connectionId }),
    }),
    ...Object.values(kinds).map(kind =>
      openRoute({
        ...common,
        path: kind.callbackPath('{connectionId}') as '/callback/{connectionId}',
        summary: 'Where an identity provider sends the browser back to',
        open: 'it only leads on to the sign-in that the answer names',
        handle: async ({ request, params: { connectionId } }) => {
          const uid = kind.signInIdOf(request.query);
          if (uid === null) throw new ProblemError('sign_in_expired');
          return { redirect: `/interaction/${uid}/return/${connectionId}${searchOf(request)}` };
        },
      }),
    ),
  ];
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
  const { request, response, uid, returnedBy } = came;
  const interaction = await provider.interactionDetails(request, response).catch((error: unknown) => {
    throw error instanceof errors.SessionNotFound ? expired(error) : error;
  });
  if (interaction.uid !== uid) throw expired();
  // The applications are the product's own: what they ask for is granted without a page.
  if (interaction.prompt.name === 'consent') return finish(parts, came, { consent: {} });
  const signIn = returnedBy === null ? await begun(parts, interaction) : await records.find(uid);
  if (!signIn || (returnedBy !== null && signIn.step !== 'return-from-provider')) throw expired();
  const asked = {
    uid,
    signIn,
    query: request.query,
    search: searchOf(request),
    returnedBy,
    cause: { ...requestScope().cause, correlationId: uid },
    current: await currentSession(provider, interaction),
  };
  try {
    return await answered(parts, came, await advance(steps, asked));
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    await failed(parts, uid, error);
    throw problemOf(error.cause);
  }
}

async function currentSession(provider: Provider, { session }: Interaction): Promise<SessionRef | null> {
  const login = session && (await provider.Session.findByUid(session.uid));
  return login ? sessionOfLogin(login) : null;
}

const expired = (cause?: unknown) => new ProblemError('sign_in_expired', undefined, { cause });

/** A sign-in that begins, or begins anew because the person went back. */
async function begun({ clients, store }: Parts, { params, prompt }: Interaction): Promise<SignIn> {
  const clientId = textOf(params['client_id']) ?? 'unknown';
  const client = await clients.find(clientId);
  const maxAge = params['max_age'] === undefined ? Number.NaN : Number(params['max_age']);
  const [loginHint, acrValues] = [textOf(params['login_hint']), textOf(params['acr_values'])];
  return newSignIn({
    startedAt: store.clock.now().toISOString(),
    clientId,
    surface: client?.surface ?? unsaidSurface,
    boundTo: client?.tenantId ?? null,
    tenantAsked: textOf(params['tenant']),
    connectionAsked: textOf(params['connection']),
    wish: {
      again: prompt.reasons.includes('login_prompt') || prompt.reasons.includes('session_not_live'),
      isDemanded: prompt.reasons.includes('login_prompt'),
      ...(loginHint === null ? {} : { loginHint }),
      ...(acrValues === null ? {} : { acrValues }),
      ...(Number.isSafeInteger(maxAge) ? { maxAgeSeconds: maxAge } : {}),
    },
  });
}

async function answered(parts: Parts, came: Came, advanced_: Advanced): Promise<Reply<never>> {
  const { records } = parts;
  await records.save(came.uid, advanced_.signIn);
  if ('page' in advanced_) return { page: advanced_.page };
  if ('leaveFor' in advanced_) return { redirect: advanced_.leaveFor };
  return finish(parts, came, { login: loginOf(advanced_.signedIn) });
}

/** What the provider keeps as the result; it hands on what it does not know. */
function loginOf({ userId, amr, acr, authenticatedAt, tenantId, sessionId }: SignedIn) {
  const ts = Math.floor(Date.parse(authenticatedAt) / 1_000);
  return { accountId: userId, amr, ...(acr === null ? {} : { acr }), ts, tenantId, sessionId };
}

async function finish(
  { provider }: Parts,
  { request, response }: Came,
  result: InteractionResults,
): Promise<Reply<never>> {
  const options = { mergeWithLastSubmission: 'consent' in result };
  return { redirect: await provider.interactionResult(request, response, result, options) };
}

/** On the record, and over: what came back may not be tried again. */
async function failed({ records, store }: Parts, uid: string, { signIn, asked, cause }: SignInError): Promise<void> {
  await records.save(uid, null);
  const { tenantId, connectionId: id, method, identity } = signIn;
  if (tenantId === null || id === null) return;
  const step = reasonOf(cause);
  // A subject has 255 characters at most (OpenID Connect Core §2).
  const identityId = identity && `${id}/${identity.subject.slice(0, 255)}`;
  const details = { method: method ?? 'unknown', step, identityId };
  await store.recordFact(tenantId, event('sign_in.failed', { id, because: step, details }), asked);
}

function reasonOf(error: unknown): SignInFailure {
  if (error instanceof StepError) return error.step;
  const { code } = toProblem(error);
  return eventTypes['sign_in.failed'].reasons.find(one => one === code) ?? 'internal';
}

const problemOf = (error: unknown): unknown =>
  error instanceof StepError ? new ProblemError('sign_in_failed', undefined, { cause: error }) : error;

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
