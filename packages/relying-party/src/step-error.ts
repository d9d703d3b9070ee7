// Where an answer was refused: one stable name for events and for administrators, whichever library noticed.
import { ProblemError, type SignInFailure } from '@reeve/contracts';
import * as client from 'openid-client';
import type { Fetch } from './discover.ts';

/** What was expected and what was found, in words for an administrator: never a token, a code or a secret. */
export type Seen = Readonly<Record<string, string | number | boolean | null>>;

const longestText = 500;

/** Whoever sends something long does not have it kept. */
const bounded = (seen: Seen): Seen =>
  Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [
      name,
      typeof value === 'string' ? value.slice(0, longestText) : value,
    ]),
  );

/** The step at which somebody else's answer was refused. */
export class StepError extends Error {
  readonly step: SignInFailure;
  readonly seen: Seen;

  constructor(step: SignInFailure, options: { cause?: unknown; seen?: Seen } = {}) {
    super(`the answer was refused at ${step}`, options);
    this.name = 'StepError';
    this.step = step;
    this.seen = bounded(options.seen ?? {});
  }
}

/** The same fetch, whose failures say at which step they are; libraries that it is handed to would take them apart. */
export const withSteps =
  (fetch: Fetch): Fetch =>
  (url, init) =>
    fetch(url, init).catch((error: unknown) => {
      throw error instanceof StepError ? error : new StepError(stepOfFetch(error), { cause: error });
    });

function stepOfFetch(error: unknown): SignInFailure {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown };
  // A name that leads inside is refused while it is looked up: fetch wraps that.
  if (error instanceof ProblemError || cause instanceof ProblemError) return 'provider_url_refused';
  return name === 'TimeoutError' ? 'provider_timeout' : 'provider_unreachable';
}

/**
 * Of what openid-client refuses. `isAboutTokens` once the token endpoint was asked; before, it is about the browser.
 */
export function stepOf(error: unknown, isAboutTokens: boolean): SignInFailure {
  if (error instanceof StepError) return error.step;
  if (error instanceof client.AuthorizationResponseError) return 'refused_by_provider';
  if (error instanceof client.ResponseBodyError || error instanceof client.WWWAuthenticateChallengeError)
    return 'code_exchange';
  if (!(error instanceof client.ClientError)) return 'provider_unreachable';
  if (error.cause instanceof StepError) return error.cause.step;
  switch (error.code) {
    case 'OAUTH_JWT_CLAIM_COMPARISON_FAILED':
      return 'id_token_claims';
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return /End-User authentication/.test(wordsOf(error)) ? 'authentication_too_old' : 'id_token_claims';
    case 'OAUTH_INVALID_RESPONSE':
      return isAboutTokens ? invalidTokens(error) : 'response_mismatch';
    case 'OAUTH_KEY_SELECTION_FAILED':
    case 'OAUTH_UNSUPPORTED_OPERATION':
      return 'id_token_signature';
    case 'OAUTH_TIMEOUT':
      return 'provider_timeout';
    default:
      return 'provider_response';
  }
}

/** What the server said of it, or what the library found: neither holds a token or a code. */
export function seenIn(error: unknown): Seen {
  if (error instanceof StepError) return error.seen;
  const isRefusal = error instanceof client.AuthorizationResponseError || error instanceof client.ResponseBodyError;
  if (isRefusal) {
    const { error: code, error_description: description = null } = error;
    return { error: code, description };
  }
  return error instanceof client.ClientError ? { problem: wordsOf(error) } : {};
}

const shortestHidden = 4;

const inForm = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
const escapedWhole = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll(/[-_.!~*'()]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');

/**
 * How a text may be sent: as it is, in an address, in a form, and in a header, where libraries escape whatever is
 * neither a letter nor a digit.
 */
export const spellings = [(text: string) => text, encodeURIComponent, inForm, escapedWhole];

/** A server may say again what it was sent, as it was or as a header has it: an administrator need not read that. */
export function withoutSent(seen: Seen, sent: readonly string[]): Seen {
  const forms = sent.filter(one => one.length >= shortestHidden).flatMap(one => spellings.map(spell => spell(one)));
  const hidden = (text: string) => forms.reduce((rest, form) => rest.replaceAll(form, '…'), text);
  return Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [name, typeof value === 'string' ? hidden(value) : value]),
  );
}

const wordsOf = ({ message, cause }: Error): string => `${message} ${cause instanceof Error ? cause.message : ''}`;

/** What is wrong with an ID token is told apart by the library's words alone. */
function invalidTokens(error: Error): SignInFailure {
  const named = /"(\w+)"(?! body)/.exec(wordsOf(error).replace('"response" body ', ''))?.[1] ?? '';
  if (named === 'sub') return 'subject_missing';
  if (named === 'id_token') return 'id_token_missing';
  if (named === 'alg') return 'id_token_signature';
  return ['iss', 'aud', 'exp', 'iat', 'nbf', 'nonce', 'azp', 'auth_time'].includes(named)
    ? 'id_token_claims'
    : 'provider_response';
}
