// The browser's way through a sign-in: it begins with the application's request (leave-at-once.ts), or at
// /interaction/{uid} where a page has to be shown; the callback of a kind brings it back, and
// /interaction/{uid}/return/{connectionId} goes on. The callback only redirects: the cookie that binds a sign-in to its
// browser has the interaction's path, so what came back is used where that cookie is checked. Otherwise whoever begins
// a sign-in could have somebody else end it (login CSRF).
import { randomBytes } from 'node:crypto';
import { ProblemError, type SignInFailure } from '@reeve/contracts';
import { causeOf, openRoute, type Reply, type Route, searchOf } from '@reeve/service-kit';
import type { Request, Response } from 'express';
import { errors, type InteractionResults, type default as Provider } from 'oidc-provider';
import type { WrongGuesses } from '../abuse/wrong-guesses.ts';
import type { AskConsent } from '../application-grants/ask-consent.ts';
import { isTestId, type TestSignIn, testReturnPath } from '../connection-tests/test-sign-in.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { KindName, Kinds } from '../connections/kinds/registry.ts';
import { callbackPath } from '../embed/embed.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import type { Serve } from '../openid-provider/serve.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import type { SessionRef } from '../sessions/live-sessions.ts';
import { begun, type GoOnParts, goOn } from './go-on.ts';
import type { SignIn } from './sign-in.ts';
import type { SignedIn } from './step.ts';
import { hashOf, isBroughtHere, ticketName } from './ticket.ts';
import { startedElsewhere, type UnsolicitedParts } from './unsolicited.ts';

type Parts = UnsolicitedParts &
  GoOnParts & {
    /** The one of now: it is another one when its keys are. */
    provider: () => Provider;
    serving: Serve;
    testSignIn: TestSignIn;
    wrongGuesses: WrongGuesses;
    kinds: Kinds;
    askConsent: AskConsent;
  };
type Came = {
  request: Request;
  response: Response;
  uid: string;
  returnedBy: string | null;
  answer: URLSearchParams;
};
type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** Of what an identity provider has the browser post: an assertion with the groups of a person may be long. */
const readPosted = formReader('400kb');
/** A new passkey may come with what its maker says of it. */
const readAnswer = formReader('32kb');

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
        cameBack(parts, { request, response, uid, returnedBy: null, answer: new URLSearchParams() }),
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
        if (answer.has('email') || answer.has('tenant')) {
          await parts.wrongGuesses.assertMayGuess('home_realm', request);
          await parts.wrongGuesses.wasWrong('home_realm', request);
        }
        return cameBack(parts, { request, response, uid, returnedBy: null, answer });
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
        cameBack(parts, { request, response, uid, returnedBy: connectionId, answer: new URLSearchParams() }),
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

function cameBack(parts: Parts, came: Came): Promise<Reply<never>> {
  return inRequestScope(causeOf(came.request, null), async () => {
    const write = () => requestScope().flush();
    const reply = await advanced(parts, came).catch(async (error: unknown) => {
      await write();
      throw error;
    });
    // The provider goes on with the same request, and writes at its end.
    if (!('stream' in reply)) await write();
    return reply;
  });
}

async function advanced(parts: Parts, came: Came): Promise<Reply<never>> {
  const { provider, records } = parts;
  const { request, response, uid, returnedBy, answer } = came;
  const interaction = await interactionOf(parts, came);
  // A form that was posted twice has two returns, of which the last one counts.
  const isMeant = (signIn: SignIn) => isBroughtHere(signIn, searchOf(request));
  const current = () => currentSession(provider(), came);
  if (interaction.prompt.name === 'consent') {
    const asked = await parts.askConsent({ interaction, answer, response, current });
    return 'page' in asked ? asked : finish(parts, came, asked.result);
  }
  const signIn =
    returnedBy === null
      ? ((await askedBefore(parts, uid, answer)) ?? (await begun(parts, interaction)))
      : await records.takeReturn(uid, isMeant);
  if (!signIn) throw expired();
  const { params } = interaction;
  const search = searchOf(request);
  const went = await goOn(parts, { uid, signIn, answer, search, returnedBy, current, response, params });
  if ('isEnded' in went) {
    if ((await records.failureOf(uid)) !== null) throw expired();
    return { redirect: interaction.returnTo };
  }
  if ('page' in went) return { page: went.page };
  if ('leaveFor' in went)
    return typeof went.leaveFor === 'string' ? { redirect: went.leaveFor } : { page: went.leaveFor };
  // Whoever has signed in has chosen an account, if they were to.
  const back = await finish(parts, came, { login: loginOf(went.signedIn), select_account: {} });
  // Nobody but this request has taken the return.
  return returnedBy === null ? back : parts.serving.goBack(request, interaction);
}

/** What a person has filled in is for the step that has asked it. */
async function askedBefore({ records }: Parts, uid: string, answer: URLSearchParams): Promise<SignIn | null> {
  if (answer.has('link')) return records.findAsking(uid, 'confirm-link');
  // Without what is waited for, an answer to it would begin another sign-in.
  if (!answer.has('factor')) return null;
  const waiting = await records.findAsking(uid, 'second-factor');
  if (!waiting) throw expired();
  return waiting;
}

/** RFC 6749 §4.1.2.1: the application gets an error, with our stable reason as its description. */
function leave(parts: Parts, came: Pick<Came, 'request' | 'response' | 'uid'>): Promise<Reply<never>> {
  return inRequestScope(causeOf(came.request, null), async () => {
    const interaction = await interactionOf(parts, came);
    const failure = await parts.records.failureOf(interaction.uid);
    if (failure === null) throw expired();
    const error = errorsOf[failure.step] ?? 'access_denied';
    // Whoever embeds the assistant is told what to set right.
    const isOurs = interaction.params['redirect_uri'] === parts.issuer + callbackPath;
    const error_description = isOurs ? failure.cause : failure.step;
    const redirect = await finish(parts, came, { error, error_description });
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
  const interaction = await provider()
    .interactionDetails(request, response)
    .catch((error: unknown) => {
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
  return { redirect: await provider().interactionResult(request, response, result, options) };
}
