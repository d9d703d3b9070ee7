// What happens to a request before and after its handler, as a list of steps read from top to bottom.
import { trace } from '@opentelemetry/api';
import type { Access } from '@reeve/access';
import { because, type Cause, newId, ProblemError, platformTenantId, type TenantId } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import type { Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import { type Answer, createIdempotency, type Idempotency } from './idempotency.ts';
import { fieldErrors } from './problem-json.ts';
import type { Route, RouteResult } from './route.ts';
import type { KnownTenant, TenantDirectory } from './tenant-directory.ts';
import type { Caller, VerifyToken } from './token-verifier.ts';

export type RouteParts = { verifyToken: VerifyToken; access: Access; tenants: TenantDirectory; store: Store };

export function createRouteHandlers(parts: RouteParts) {
  const idempotency = createIdempotency(parts.store);
  return (route: Route): RequestHandler =>
    async (request, response) => {
      const caller = await authenticate(parts, request);
      const tenant = route.scope === 'tenant' ? await findTenant(parts, request, caller) : null;
      const asked = causeOf(request, caller);
      const decision = await authorize(parts, { route, caller, tenant, cause: asked });
      const cause = { ...asked, decision };
      if (tenant) await recordPlatformUse(parts, { request, route, caller, tenant, cause });
      const accepted = {
        params: request.params as Record<string, string>,
        query: validate(route.query, request.query, 'query'),
        body: validateBody(route, request),
        expectedVersion: ifMatch(request),
        caller,
        cause,
        ...(tenant ? { tenantId: tenant.id } : {}),
      };
      const key = request.get('Idempotency-Key');
      if (key === undefined || request.method === 'GET') {
        const result = await route.handle({ ...accepted, freshId: newId });
        if ('stream' in result) await result.stream(response);
        else send(response, answerOf(route, result));
        return;
      }
      const scope = `${caller.type} ${caller.id} ${request.method} ${request.path}`;
      const once = {
        tenantId: tenant?.id ?? platformTenantId,
        scope,
        key: checkedKey(key),
        request: JSON.stringify(request.body ?? null),
      };
      send(response, await runOnce(idempotency, once, freshId => route.handle({ ...accepted, freshId }), route));
    };
}

async function authenticate({ verifyToken }: RouteParts, request: Request): Promise<Caller> {
  const header = request.get('Authorization');
  if (header === undefined) throw new ProblemError('token_missing');
  const token = /^Bearer ([\w.~+/=-]+)$/i.exec(header)?.[1];
  if (token === undefined) throw new ProblemError('token_invalid');
  return verifyToken(token);
}

/** Another tenant's id and an id that nobody has get the same answer. */
async function findTenant({ tenants }: RouteParts, request: Request, caller: Caller): Promise<KnownTenant> {
  const reference = String(request.params['tenantId']);
  const platform = caller.scopes.includes('platform:admin');
  if (!platform && caller.tenantId === null) throw new ProblemError('not_found');
  // A caller of one tenant waits for no other: its own is known, and what is not its own is not looked for.
  const tenant = await tenants.find(platform ? reference : (caller.tenantId ?? ''));
  if (!tenant || (reference !== tenant.id && reference !== tenant.slug)) throw new ProblemError('not_found');
  if (tenant.status === 'suspended' && !platform) throw new ProblemError('tenant_suspended');
  return tenant;
}

async function authorize(
  { access, store }: RouteParts,
  { route, caller, tenant, cause }: { route: Route; caller: Caller; tenant: KnownTenant | null; cause: Cause },
): Promise<NonNullable<Cause['decision']>> {
  const resource = tenant ? { tenantId: tenant.id } : ('platform' as const);
  const { allowed, rule, basis } = access.decide({ principal: caller, action: route.action, resource });
  if (allowed) return { rule, basis };
  const target = { type: 'operation', id: route.action, name: route.summary };
  const reason = { code: 'no_rule_permits', rule, basis };
  const event = {
    type: 'access.denied',
    target,
    outcome: 'denied',
    reason,
    details: { action: route.action },
  } as const;
  await store.recordFact(tenant?.id ?? caller.tenantId ?? platformTenantId, event, cause);
  throw new ProblemError('access_denied', `your token does not allow ${route.action}`);
}

/** The platform reaches into a tenant only on the record: the tenant's own log says who, what and the stated reason. */
async function recordPlatformUse(
  { store }: RouteParts,
  {
    request,
    route,
    caller,
    tenant,
    cause,
  }: { request: Request; route: Route; caller: Caller; tenant: KnownTenant; cause: Cause },
): Promise<void> {
  if (caller.tenantId === tenant.id) return;
  const statedReason = (request.get('Reeve-Reason') ?? 'not stated').slice(0, 200);
  const target = { type: 'operation', id: route.action, name: route.summary };
  const details = { action: route.action, statedReason };
  await store.recordFact(
    tenant.id,
    { type: 'access.platform_used', target, outcome: 'success', reason: because('platform_scope'), details },
    cause,
  );
}

/** Null when the connection is gone. A dual-stack socket shows an IPv4 caller as ::ffff:a.b.c.d. */
export function addressOf(request: Request): string | null {
  return request.ip?.replace(/^::ffff:(?=\d+\.)/, '') ?? null;
}

export function causeOf(request: Request, caller: Caller | null): Cause {
  const requestId = String(request.res?.getHeader('Reeve-Request-Id') ?? newId('request'));
  return {
    actor: caller
      ? {
          type: caller.type,
          id: caller.id,
          name: null,
          via: caller.type === 'user' ? 'session' : caller.type === 'service' ? 'system' : 'client',
        }
      : { type: 'stranger', id: null, name: null, via: 'client' },
    context: {
      ip: addressOf(request),
      userAgent: request.get('User-Agent')?.slice(0, 300) ?? null,
      sessionId: caller?.sessionId ?? null,
      connectionId: null,
      clientId: caller?.clientId ?? null,
      requestId,
    },
    correlationId: trace.getActiveSpan()?.spanContext().traceId ?? requestId,
  };
}

/** Text that no encoding can hold would be stored but could not be hashed into the audit log; NUL has no business in any field. */
function malformedText(value: unknown, path: string): string[] {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0') ? [] : [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...malformedText(key, path),
    ...malformedText(inner, path === '' ? key : `${path}.${key}`),
  ]);
}

function validate<T>(schema: z.ZodType<T> | undefined, value: unknown, within: string): T | Record<string, never> {
  if (!schema) {
    const unknown = Object.keys((value as object | undefined) ?? {});
    if (unknown.length > 0)
      throw new ProblemError('input_invalid', undefined, {
        errors: unknown.map(field => ({ field: `${within}.${field}`, message: 'is not a known field' })),
      });
    return {};
  }
  const malformed = malformedText(value, within === 'body' ? '' : within);
  if (malformed.length > 0) {
    const errors = malformed.map(field => ({ field, message: 'holds characters that are not text' }));
    throw new ProblemError('input_invalid', undefined, { errors });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new ProblemError('input_invalid', undefined, {
    errors: fieldErrors(parsed.error, within === 'body' ? '' : within),
  });
}

function validateBody(route: Route, request: Request): unknown {
  const given =
    request.get('Content-Length') !== '0' &&
    (request.get('Content-Length') ?? request.get('Transfer-Encoding')) !== undefined;
  if (given && request.body === undefined) throw new ProblemError('content_type_unsupported');
  if (!route.body) return validate(undefined, request.body, 'body');
  if (request.body === undefined) {
    // A body of optional fields may be left out altogether.
    const empty = route.body.safeParse({});
    if (empty.success) return empty.data;
    throw new ProblemError('body_missing');
  }
  return validate(route.body, request.body, 'body');
}

function ifMatch(request: Request): number | undefined {
  const header = request.get('If-Match');
  if (header === undefined || header === '*') return undefined;
  const version = /^(?:W\/)?"(\d{1,15})"$/.exec(header)?.[1];
  if (version === undefined) throw new ProblemError('precondition_failed', 'If-Match is not one of our ETags');
  return Number(version);
}

function checkedKey(key: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(key)) return key;
  throw new ProblemError('input_invalid', undefined, {
    errors: [{ field: 'Idempotency-Key', message: 'must be 1 to 200 printable ASCII characters' }],
  });
}

function answerOf(route: Route, result: Exclude<RouteResult<unknown>, { stream: unknown }>): Answer {
  const etag = result.version === undefined ? undefined : `"${result.version}"`;
  return { status: result.status ?? route.status ?? 200, body: result.body, etag };
}

type Once = { tenantId: TenantId; scope: string; key: string; request: string };

function runOnce(
  idempotency: Idempotency,
  once: Once,
  handle: (freshId: Parameters<Route['handle']>[0]['freshId']) => Promise<RouteResult<unknown>>,
  route: Route,
): Promise<Answer> {
  return idempotency.once(once, async freshId => {
    const result = await handle(freshId);
    if ('stream' in result) throw new ProblemError('input_invalid', 'this operation takes no Idempotency-Key');
    const answer = answerOf(route, result);
    return { answer, kept: route.withoutSecrets ? { ...answer, body: route.withoutSecrets(answer.body) } : answer };
  });
}

function send(response: Response, { status, body, etag }: Answer): void {
  if (etag !== undefined) response.setHeader('ETag', etag);
  if (body === undefined || body === null) response.status(status).end();
  else response.status(status).json(body);
}
