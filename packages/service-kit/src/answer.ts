// How answers and errors go out, by family: JSON with problem+json, pages with an error page, SCIM with SCIM's errors.
// The one place that turns a problem into bytes.
import { type ProblemCode, type ProblemError, problems } from '@reeve/contracts';
import type { Request, Response } from 'express';
import { contentSecurityPolicy, html, page } from './html.ts';
import { sendProblem } from './problem-json.ts';
import type { AnswerKind, Page, Reply, Route } from './route.ts';

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

export function sendPage(response: Response, { title, content, formAction, status = 200 }: Page): void {
  response.setHeader('Content-Security-Policy', contentSecurityPolicy(formAction));
  response.status(status).type('html').send(page(title, content));
}

/** An error in the form that the caller of that family reads. */
export function sendError(family: AnswerKind, response: Response, problem: ProblemError): void {
  const isForPeople = family === 'page' || family === 'redirect';
  if (problem.retryAfterSeconds !== undefined) response.setHeader('Retry-After', String(problem.retryAfterSeconds));
  if (problem.status === 401 && !isForPeople) response.setHeader('WWW-Authenticate', 'Bearer');
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

function sendErrorPage(response: Response, problem: ProblemError): void {
  const [status, title, help] = problems[problem.code];
  const reference = String(response.getHeader('Reeve-Request-Id'));
  // What a problem says of its own case is a sentence; without one it is the title once more.
  const detail = problem.message === title ? null : html`<p>${problem.message}.</p>`;
  const content = html`<p class="error" role="alert">${title}.</p>${detail}<p>${help}</p>
<p>If it happens again, give your administrator this reference:</p><p><code>${reference}</code></p>
<p class="muted">${problem.code}</p>`;
  sendPage(response, { title: 'This did not work', content, status });
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
