// Reads the body of a request: after the caller is known, so that a stranger's bytes are not parsed, and only of a type
// that the route takes.
import { timingSafeEqual } from 'node:crypto';
import { ProblemError, parseJson } from '@reeve/contracts';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Route } from './route.ts';
import { assertNothing, validate } from './validate.ts';

const bodyLimit = '256kb';
const formLimit = '16kb';
const formType = 'application/x-www-form-urlencoded';

const readJson = express.json({
  limit: bodyLimit,
  strict: true,
  type: ['application/json', 'application/scim+json'],
  /** Whoever looked at a member that is there twice before us may have taken the other one. */
  verify(_request, _response, bytes, encoding) {
    if (bytes.length > 0) parseJson(new TextDecoder(encoding).decode(bytes));
  },
});
const readForm = express.urlencoded({ extended: false, limit: formLimit });

const run = (read: RequestHandler, request: Request, response: Response): Promise<void> =>
  new Promise((resolve, reject) => {
    void read(request, response, error => (error === undefined ? resolve() : reject(error)));
  });

type Asked = { request: Request; response: Response; csrf: string | undefined };

/** The body as the route's schema makes it. Undefined where the handler reads it by itself. */
export async function readBody(route: Route, { request, response, csrf }: Asked): Promise<unknown> {
  if (route.ownBody) return undefined;
  const length = request.get('Content-Length');
  const isGiven = length !== '0' && (length ?? request.get('Transfer-Encoding')) !== undefined;
  if (isGiven && (route.body || request.method !== 'GET')) await parse(route, request, response);
  if (route.caller === 'browser' && request.method !== 'GET') checkForm(request, csrf);
  if (!route.body) {
    if (isGiven && request.method !== 'GET' && request.body === undefined)
      throw new ProblemError('content_type_unsupported');
    return assertNothing(request.body, 'body');
  }
  if (request.body !== undefined) return validate(route.body, request.body, '');
  // A body of optional fields may be left out altogether.
  const empty = route.body.safeParse({});
  if (empty.success) return empty.data;
  throw new ProblemError('body_missing');
}

async function parse(route: Route, request: Request, response: Response): Promise<void> {
  const accepted = ['application/json', ...(route.accepts ?? [])];
  const type = request.get('Content-Type')?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (route.body && !accepted.includes(type)) throw new ProblemError('content_type_unsupported');
  await run(type === formType ? readForm : readJson, request, response);
}

/**
 * A form of another site does not know what ours know, and a browser that says where a form comes from is believed as
 * well: a page of another port or subdomain gets the cookie too. Throws `csrf_mismatch`.
 */
function checkForm(request: Request, csrf: string | undefined): void {
  const { csrf: given, ...form } = (request.body ?? {}) as Record<string, unknown>;
  const isOurs = csrf !== undefined && typeof given === 'string' && isEqual(given, csrf);
  const from = request.get('Sec-Fetch-Site') ?? 'same-origin';
  if (!isOurs || from !== 'same-origin') throw new ProblemError('csrf_mismatch');
  request.body = form;
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
