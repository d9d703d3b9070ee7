// How answers and errors go out, by family: JSON with problem+json, pages with an error page, SCIM with SCIM's errors.
// The one place that turns a problem into bytes.
import type { AuthenticationNeeded, ProblemCode, ProblemError } from '@reeve/contracts';
import type { Request, Response } from 'express';
import { errorPage } from './pages/error-page.ts';
import type { Language } from './pages/language.ts';
import { readerOf } from './pages/reader.ts';
import { sendPage } from './pages/send-page.ts';
import { sendProblem } from './problem-json.ts';
import { proofAlgorithms } from './proof-of-possession.ts';
import type { AnswerKind, Reply, Route } from './route.ts';

export type Answer = { status: number; body: unknown; etag?: string | undefined; location?: string | undefined };

const scimType = 'application/scim+json';
const scimError = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** RFC 7644 §3.12, table 9. */
const scimTypes: Partial<Record<ProblemCode, string>> = {
  input_invalid: 'invalidValue',
  body_malformed: 'invalidSyntax',
  body_missing: 'invalidSyntax',
  scim_filter_invalid: 'invalidFilter',
  scim_uniqueness: 'uniqueness',
};

/** A SCIM directory has a token of its own, which is bound to no key. */
function challengesOf(family: AnswerKind, { needed }: ProblemError): string[] {
  if (family === 'scim') return ['Bearer'];
  const asked = needed ? challengeOf(needed) : [];
  const dpop = [...asked, `algs="${proofAlgorithms.join(' ')}"`].join(', ');
  return [['Bearer', asked.join(', ')].join(' ').trim(), `DPoP ${dpop}`];
}

/** RFC 9470 §3. */
const challengeOf = ({ acrValues, maxAgeSeconds }: AuthenticationNeeded): string[] => [
  'error="insufficient_user_authentication"',
  'error_description="The person has to sign in more surely, or once more"',
  ...(acrValues === null ? [] : [`acr_values="${acrValues}"`]),
  ...(maxAgeSeconds === null ? [] : [`max_age=${maxAgeSeconds}`]),
];

export function answerOf(route: Route, reply: Extract<Reply<unknown>, { body: unknown }>): Answer {
  const etag = reply.version === undefined ? undefined : `"${reply.version}"`;
  return { status: reply.status ?? route.status ?? 200, body: reply.body, etag, location: reply.location };
}

export function sendAnswer(route: Route, response: Response, { status, body, etag, location }: Answer): void {
  if (etag !== undefined) response.setHeader('ETag', route.answer === 'scim' ? `W/${etag}` : etag);
  if (location !== undefined) response.setHeader('Location', location);
  response.status(status);
  if (body === undefined || body === null) response.end();
  else if (route.answer === 'scim') response.type(scimType).send(JSON.stringify(body));
  else response.json(body);
}

/** An error in the form that the caller of that family reads; a promise where that is a page. */
export function sendError(family: 'json' | 'scim' | 'bytes', response: Response, problem: ProblemError): void;
export function sendError(family: AnswerKind, response: Response, problem: ProblemError): void | Promise<void>;
export function sendError(family: AnswerKind, response: Response, problem: ProblemError): void | Promise<void> {
  const isForPeople = family === 'page' || family === 'redirect';
  if (problem.retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(problem.retryAfterSeconds));
  if (problem.status === 401 && !isForPeople) response.setHeader('WWW-Authenticate', challengesOf(family, problem));
  switch (family) {
    case 'page':
    case 'redirect':
      return sendErrorPage(response, problem);
    case 'scim':
      return sendScimError(response, problem);
    case 'json':
    case 'bytes':
      return sendProblem(response, problem);
  }
}

async function sendErrorPage(response: Response, problem: ProblemError): Promise<void> {
  const { back } = await readerOf(response);
  const { method, originalUrl } = response.req;
  const reference = String(response.getHeader('Reeve-Request-Id'));
  const path = method === 'POST' ? originalUrl : null;
  const words = (language: Language) => errorPage(problem, { language, reference, path, back });
  await sendPage(response, { words, status: problem.status });
}

function sendScimError(response: Response, problem: ProblemError): void {
  const { status } = problem;
  const fields = problem.errors?.map(({ field, message }) => `${field} ${message}`).join('; ');
  const type = scimTypes[problem.code];
  const body = {
    schemas: [scimError],
    status: String(status),
    detail: fields ?? problem.message,
    ...(type === undefined ? {} : { scimType: type }),
  };
  response.status(status).type(scimType).send(JSON.stringify(body));
}

/** For a path that no route has: what this caller would rather read. */
export const familyFor = (request: Request): AnswerKind =>
  request.path.startsWith('/scim/') ? 'scim' : request.accepts(['json', 'html']) === 'html' ? 'page' : 'json';
