// A route declares in one place what it accepts, who may call it and what it answers. Validation and permission happen before the
// handler, from the declaration, so that no handler can forget them; the OpenAPI document is made from the same declaration.
import type { Action } from '@reeve/access';
import type { Cause, TenantId } from '@reeve/contracts';
import type { Response } from 'express';
import { z } from 'zod';
import type { FreshId } from './idempotency.ts';
import type { Caller } from './token-verifier.ts';

export type RouteRequest<B, Q> = {
  params: Record<string, string>;
  body: B;
  query: Q;
  caller: Caller;
  cause: Cause;
  /** The version in If-Match, where the caller sent one. */
  expectedVersion: number | undefined;
  freshId: FreshId;
};

export type RouteResult<R> =
  | { body: R; version?: number; status?: number }
  /** For answers that are streamed: the handler writes the response itself. */
  | { stream: (response: Response) => Promise<void> };

type Declaration<B, Q, R> = {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As in OpenAPI: `/v1/tenants/{tenantId}/users/{userId}:deactivate`. */
  path: string;
  summary: string;
  action: Action;
  body?: z.ZodType<B>;
  query?: z.ZodType<Q>;
  status?: number;
  response: z.ZodType<R>;
  /** For an answer that shows a secret once: what a retry with the same Idempotency-Key gets instead. */
  withoutSecrets?: (body: R) => R;
};

export type Route = Declaration<unknown, unknown, unknown> & {
  scope: 'tenant' | 'platform';
  handle: (request: RouteRequest<unknown, unknown> & { tenantId?: TenantId }) => Promise<RouteResult<unknown>>;
};

/** A route under `/v1/tenants/{tenantId}/`: the handler gets the tenant that the path names and the token allows. */
export function tenantRoute<R, B = undefined, Q = Record<string, never>>(
  route: Declaration<B, Q, R> & {
    handle: (request: RouteRequest<B, Q> & { tenantId: TenantId }) => Promise<RouteResult<R>>;
  },
): Route {
  if (!route.path.startsWith('/v1/tenants/{tenantId}')) throw new TypeError(`${route.path} is not below a tenant`);
  return { ...route, scope: 'tenant' } as unknown as Route;
}

/** A route of the platform itself, outside any tenant. */
export function platformRoute<R, B = undefined, Q = Record<string, never>>(
  route: Declaration<B, Q, R> & { handle: (request: RouteRequest<B, Q>) => Promise<RouteResult<R>> },
): Route {
  return { ...route, scope: 'platform' } as unknown as Route;
}

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(1_000).optional(),
});

/** A moment in a query, in any offset; compared as the UTC text that records hold. */
export const instant = z.iso
  .datetime({ offset: true, message: 'must be an RFC 3339 date and time' })
  .transform(text => new Date(text).toISOString());

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** `/a/{b}:verb` as path-to-regexp writes it. */
export function expressPath(path: string): string {
  return path.replaceAll(':', '\\:').replaceAll(/\{(\w+)\}/g, ':$1');
}
