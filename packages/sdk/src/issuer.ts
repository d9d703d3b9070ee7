// What the issuer says of itself, and the keys that it signs with. Both are fetched when they are first needed; whoever
// sends tokens that name unknown keys, or comes while the issuer is away, makes no storm of requests.
import { createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { ReeveError } from './errors.ts';

export type Fetch = typeof globalThis.fetch;

const metadataSchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

const timeoutMs = 3_000;
/** After a failure nobody is asked again for so long. */
const pauseAfterFailureMs = 1_000;
/** A new key is shown ten minutes before it signs; one that is unknown is looked for no more often than this. */
const cooldownMs = 5_000;
/** What a key has signed that is shown no more counts for so much longer. */
const keysAgeMs = 60_000;

const isLoopback = (hostname: string): boolean => /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname);

/** Plain HTTP only to this machine. Throws a TypeError. */
export function assertSecure(url: string): URL {
  const parsed = URL.parse(url);
  if (!parsed) throw new TypeError(`${url} is no URL`);
  if (parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopback(parsed.hostname))) return parsed;
  throw new TypeError(`${url} has to begin with https://`);
}

/** Fails at once for a while after it has failed, with the same cause. */
function unlessJustFailed(fetch: Fetch, now: () => number): Fetch {
  let failed: { at: number; cause: unknown } | null = null;
  return async (...given) => {
    if (failed && Math.abs(now() - failed.at) < pauseAfterFailureMs) throw failed.cause;
    try {
      const response = await fetch(...given);
      if (!response.ok) throw new Error(`${response.url} answered ${response.status}`);
      failed = null;
      return response;
    } catch (cause) {
      failed = { at: now(), cause };
      throw cause;
    }
  };
}

export function createKeys({ issuer, fetch, now }: { issuer: string; fetch: Fetch; now: () => number }) {
  const patient = unlessJustFailed(fetch, now);
  let keys: Promise<JWTVerifyGetKey> | null = null;

  async function discover(): Promise<JWTVerifyGetKey> {
    const response = await patient(`${issuer}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    const metadata = metadataSchema.parse(await response.json());
    // Another issuer's keys would let in whoever that one signs for (RFC 8414 §3.3).
    if (metadata.issuer !== issuer) throw new Error(`the metadata of ${issuer} is of another issuer`);
    return createRemoteJWKSet(assertSecure(metadata.jwks_uri), {
      timeoutDuration: timeoutMs,
      cooldownDuration: cooldownMs,
      cacheMaxAge: keysAgeMs,
      [customFetch]: patient,
    });
  }

  return async function keysOfIssuer(): Promise<JWTVerifyGetKey> {
    keys ??= discover();
    try {
      return await keys;
    } catch (cause) {
      keys = null;
      throw new ReeveError('issuer_unavailable', undefined, { cause });
    }
  };
}
