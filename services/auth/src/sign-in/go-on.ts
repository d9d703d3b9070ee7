// A sign-in goes on as far as it can without its browser, and that is put on record.
import { event, ProblemError, type SignInCause } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import type { Store } from '@reeve/store';
import type { Response } from 'express';
import type { Interaction } from 'oidc-provider';
import type { Attempt, RecordAttempt } from '../attempts/attempt.ts';
import { signInCauseOf, signInFailureOf } from '../attempts/cause-of.ts';
import type { TellFailedSignIn } from '../embed/tell-failed-sign-in.ts';
import { levelAskedIn, acrValues as ownAcrs } from '../factors/level.ts';
import { surfaceOf } from '../openid-provider/accounts.ts';
import { stepUpReason } from '../openid-provider/interaction-policy.ts';
import { requestScope } from '../openid-provider/request-scope.ts';
import { countFailed, countSucceeded } from './count-sign-ins.ts';
import { type Advanced, advance, SignInError } from './dispatch.ts';
import { meaningOf } from './failure-meaning.ts';
import { type PageParts, showPagesOf } from './pages-of.ts';
import { enrollable, newSignIn, type SignIn, type SignInRecords } from './sign-in.ts';
import type { Asked, Steps } from './step.ts';

export type GoOnParts = PageParts & {
  records: SignInRecords;
  recordAttempt: RecordAttempt;
  steps: Steps;
  store: Pick<Store, 'recordFact' | 'clock'>;
  tellFailedSignIn: TellFailedSignIn;
};

const longestEmail = 320;

/**
 * What is kept of it is written when the request ends. It may have ended by the same answer, which came twice. Throws
 * the problem that it ended with.
 */
export async function goOn(
  parts: GoOnParts,
  { response, params, ...asked }: Omit<Asked, 'cause'> & { response: Response; params: Interaction['params'] },
): Promise<Advanced | { isEnded: true }> {
  const { records, steps } = parts;
  const { uid, signIn } = asked;
  showPagesOf(parts, response, { uid, signIn });
  try {
    const advanced = await advance(steps, { ...asked, cause: { ...requestScope().cause, correlationId: uid } });
    const isSignedIn = 'signedIn' in advanced;
    if (isSignedIn) {
      await records.save(uid, null);
      countSucceeded(advanced.signIn);
    } else if (!asked.answer.has('factor')) await records.save(uid, advanced.signIn);
    else if (!(await records.saveUnlessEnded(uid, advanced.signIn))) return { isEnded: true };
    if (!('page' in advanced))
      await record(parts, uid, advanced.signIn, { outcome: isSignedIn ? 'succeeded' : 'under_way' });
    return advanced;
  } catch (error) {
    if (!(error instanceof SignInError)) throw error;
    const cause = await failed(parts, uid, error);
    await parts.tellFailedSignIn({ request: response.req, params, cause });
    throw problemOf(error.cause);
  }
}

/** A sign-in that begins, or begins anew because the person went back. */
export async function begun(
  { applications, store }: GoOnParts,
  { params, prompt, session }: Pick<Interaction, 'params' | 'prompt' | 'session'>,
): Promise<SignIn> {
  const clientId = textOf(params['client_id']) ?? 'unknown';
  const application = await applications.find(clientId);
  const maxAge = params['max_age'] === undefined ? Number.NaN : Number(params['max_age']);
  const loginHint = textOf(params['login_hint']);
  const acrsAsked = (textOf(params['acr_values']) ?? acrClaimed(params['claims']) ?? '').split(' ').filter(Boolean);
  // No provider knows the levels that are ours.
  const acrValues = acrsAsked.filter(one => !ownAcrs.includes(one)).join(' ') || null;
  // Whoever is to choose an account does so at the provider.
  const isChoice = isAsked(params['prompt'], 'select_account');
  const isStepUp = prompt.reasons.length > 0 && prompt.reasons.every(reason => reason === stepUpReason) && !isChoice;
  const uiLocales = localesOf(params['ui_locales']);
  const isLink = params['link'] === 'true';
  const enrolAsked = enrollable.find(kind => kind === params['enrol']) ?? null;
  const isDemanded = isLink || enrolAsked !== null || prompt.reasons.includes('login_prompt');
  return newSignIn({
    startedAt: store.clock.now().toISOString(),
    clientId,
    surface: surfaceOf({ surface: application?.surface ?? null }),
    boundTo: application?.tenantId ?? null,
    tenantAsked: textOf(params['tenant']),
    connectionAsked: textOf(params['connection']),
    authKeyAsked: textOf(params['auth_key']),
    domainAsked: textOf(params['domain']),
    linkAsked: isLink,
    acrsAsked,
    levelAsked: levelAskedIn(acrsAsked),
    enrolAsked,
    stepUpOf: isStepUp && !isLink && enrolAsked === null ? (session?.accountId ?? null) : null,
    wish: {
      again: isDemanded || prompt.reasons.includes('session_not_live'),
      // Whoever is still signed in there may be somebody else.
      isDemanded,
      ...(loginHint === null ? {} : { loginHint }),
      ...(acrValues === null ? {} : { acrValues }),
      ...(uiLocales === null ? {} : { uiLocales }),
      ...(isChoice ? { selectAccount: true } : {}),
      ...(Number.isSafeInteger(maxAge) ? { maxAgeSeconds: maxAge } : {}),
    },
  });
}

/** By the `claims` parameter instead, of which the provider has seen to it that it is JSON. */
function acrClaimed(claims: unknown): string | null {
  if (typeof claims !== 'string') return null;
  const { id_token: ofIdToken } = JSON.parse(claims) as { id_token?: { acr?: { value?: unknown; values?: unknown } } };
  const { value, values } = ofIdToken?.acr ?? {};
  const levels = [value, values].flat().filter(level => typeof level === 'string');
  return levels.length === 0 ? null : levels.join(' ');
}

/** On the record, and over: what came back may not be tried again. Returns the cause. */
async function failed(parts: GoOnParts, uid: string, { signIn, cause, asked }: SignInError): Promise<SignInCause> {
  const { records, store } = parts;
  const step = signInFailureOf(cause);
  const why = signInCauseOf(step, cause instanceof StepError ? cause.seen : {});
  countFailed(signIn, { step, cause: why });
  await records.fail(uid, { step, cause: why });
  await record(parts, uid, signIn, { outcome: 'failed', reason: step, cause: why });
  const { tenantId, connectionId: id, method, identity } = signIn;
  if (tenantId === null || id === null) return why;
  // A subject has 255 characters at most (OpenID Connect Core §2).
  const identityId = identity && `${id}/${identity.subject.slice(0, 255)}`;
  const details = { method: method ?? 'unknown', step, identityId, cause: why };
  await store.recordFact(tenantId, event('sign_in.failed', { id, because: step, details }), asked);
  return why;
}

/** For administrators of the tenant, once it is known which that is. */
async function record(
  { recordAttempt, store }: GoOnParts,
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
