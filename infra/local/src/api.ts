// A small client of Reeve's own API for set-up, demo and tests: tokens by client_credentials, JSON in and out.
import type { Credentials } from './system.ts';

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly problem: unknown;

  constructor(method: string, url: string, { status, problem }: { status: number; problem: unknown }) {
    const { code = 'unknown', detail = '' } = (problem ?? {}) as { code?: string; detail?: string };
    super(`${method} ${url}: ${status} ${code} ${detail}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.problem = problem;
  }
}

export type Caller = { clientId: string; clientSecret: string; scope: string };
type Options = { body?: unknown; headers?: Record<string, string> };

const renewBeforeMs = 30_000;

export type Api = ReturnType<typeof createApi>;

export function createApi({ issuer }: Pick<Credentials, 'issuer'>, { clientId, clientSecret, scope }: Caller) {
  const tokens = new Map<string, { token: string; until: number }>();

  async function tokenFor(resource: string): Promise<string> {
    const known = tokens.get(resource);
    if (known && known.until > Date.now()) return known.token;
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`).toString('base64')}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope, resource }),
    });
    const answer = (await response.json()) as {
      access_token?: string;
      expires_in?: number;
      error?: string;
      error_description?: string;
    };
    if (answer.access_token === undefined)
      throw new ApiError('POST', '/token', {
        status: response.status,
        problem: { code: answer.error, detail: answer.error_description },
      });
    tokens.set(resource, {
      token: answer.access_token,
      until: Date.now() + (answer.expires_in ?? 60) * 1000 - renewBeforeMs,
    });
    return answer.access_token;
  }

  async function send(method: string, url: string, { body, headers = {} }: Options = {}): Promise<Response> {
    return fetch(url, {
      method,
      headers: {
        authorization: `Bearer ${await tokenFor(new URL(url).origin)}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  /** The parsed answer. Throws ApiError for anything but a 2xx. */
  async function call<T>(method: string, url: string, options: Options = {}): Promise<T> {
    const response = await send(method, url, options);
    const text = await response.text();
    const parsed: unknown = text === '' ? null : JSON.parse(text);
    if (!response.ok) throw new ApiError(method, url, { status: response.status, problem: parsed });
    return parsed as T;
  }

  return {
    tokenFor,
    send,
    get: <T>(url: string, options?: Options) => call<T>('GET', url, options),
    post: <T>(url: string, body?: unknown, options: Options = {}) =>
      call<T>('POST', url, { ...options, ...(body === undefined ? {} : { body }) }),
    patch: <T>(url: string, body: unknown, options: Options = {}) => call<T>('PATCH', url, { ...options, body }),
    delete: (url: string) => call<null>('DELETE', url),
  };
}
