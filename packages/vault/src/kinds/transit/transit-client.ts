// Speaks HTTP with OpenBao or Vault: one address, no redirects (the token would go with them), bounded in time, in
// attempts and in what is read.
import { readFileSync } from 'node:fs';
import { ProblemError } from '@reeve/contracts';
import { Agent, type Dispatcher, interceptors } from 'undici';
import { keyServiceDenied, keyServiceUnavailable } from '../../key-management.ts';
import { type Answer, createTransitToken, type Post, type TokenSource } from './transit-token.ts';

export type TransitOptions = { url: string; caFile?: string | undefined; token: TokenSource; timeoutMs?: number };

const connectWithinMs = 2_000;
const mostBytes = 64 * 1_024;
/** All that is asked of it may be asked twice. */
const again = {
  methods: ['POST'] as Dispatcher.HttpMethod[],
  maxRetries: 2,
  minTimeout: 100,
  maxTimeout: 500,
  statusCodes: [429, 500, 502, 503, 504],
};

/**
 * Posts JSON below `/v1/` with our token. Rejects with `key_service_unavailable` or `key_service_denied`; any other
 * answer below 500 is the caller's to read.
 */
export function createTransitClient({ url, caFile, token: source, timeoutMs = 5_000 }: TransitOptions) {
  const dispatcher = new Agent({
    maxResponseSize: mostBytes,
    connect: { timeout: connectWithinMs, ...(caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') }) },
  }).compose(interceptors.retry(again));

  const post: Post = async (path, body, token) => {
    try {
      const response = await dispatcher.request({
        origin: new URL(url).origin,
        path: `${new URL(url).pathname.replace(/\/$/, '')}/v1/${path}`,
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          ...(token === undefined ? {} : { 'x-vault-token': token }),
        },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const { statusCode: status } = response;
      const text = await response.body.text();
      if (status === 403) throw keyServiceDenied(new Error(`403 for ${path}`));
      if (status === 429 || status >= 500 || (status >= 300 && status < 400))
        throw keyServiceUnavailable(new Error(`${status} for ${path}`));
      return { status, body: JSON.parse(text) as unknown };
    } catch (error) {
      throw error instanceof ProblemError ? error : keyServiceUnavailable(error);
    }
  };

  const token = createTransitToken(source, post);

  return async (path: string, body: object): Promise<Answer> => {
    const used = await token.current();
    try {
      return await post(path, body, used);
    } catch (error) {
      // It may have been revoked, or have ended sooner than was said when it was given.
      if (!(error instanceof ProblemError && error.code === 'key_service_denied' && token.forget(used))) throw error;
      return post(path, body, await token.current());
    }
  };
}
