// The keys that issuers sign with, as they are served now. Kept for minutes; asked for again as soon as a token is
// signed by a key that is not among them, so that a rotation is followed at once, and only so often, so that tokens
// with made-up keys do not become requests to the issuer.
import { createRemoteJWKSet, customFetch, errors } from 'jose';
import { LRUCache } from 'lru-cache';
import { isKeyOf } from './directories.ts';
import type { Fetch, ServerMetadata } from './discover.ts';
import { StepError } from './step-error.ts';

type KeySet = ReturnType<typeof openKeySet>;

/** Of a server, all that it takes to read what it has signed. */
export type SignsBy = Pick<ServerMetadata, 'issuer' | 'jwks_uri' | 'id_token_signing_alg_values_supported'>;

/** Whose keys: `template` is of an issuer of many directories, whose key set says which key is whose. */
export type KeyOwner = { metadata: SignsBy; template?: string };

const keySetsKept = 1_000;
const keysKeptMs = 600_000;
const fetchMs = 5_000;
/** Renewals at once, and how long it takes until there is one more. */
const renewalsAtOnce = 3;
const renewalMs = 10_000;
/** While an issuer serves no keys, it is asked no more often than this. */
const failureKeptMs = 1_000;

export function createKeySets(fetch: Fetch) {
  const kept = new LRUCache<string, KeySet>({ max: keySetsKept });

  function keysOf(owner: KeyOwner): KeySet {
    const { issuer, jwks_uri: url } = owner.metadata;
    // Not by the address alone: one issuer must not use up what another one may be asked.
    const name = `${issuer} ${url}`;
    const keys = kept.get(name) ?? openKeySet(owner, fetch);
    kept.set(name, keys);
    return keys;
  }

  return {
    /**
     * What `verify` makes of a token by their keys: as jose does it, and with what jose throws for a token that is not
     * theirs. Throws StepError when their keys are not to be had.
     */
    async by<T>(owner: KeyOwner, verify: (keys: KeySet['find']) => Promise<T>): Promise<T> {
      const keys = keysOf(owner);
      const seen = keys.loads();
      try {
        return await verify(keys.find);
      } catch (error) {
        // The second is what a new key looks like at an issuer that gives its keys no names, or all the same one.
        const isByAnother =
          error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
        if (!isByAnother || !(await keys.renew(seen))) throw error;
        return verify(keys.find);
      }
    },
  };
}

function openKeySet({ metadata: { issuer, jwks_uri: url }, template }: KeyOwner, fetch: Fetch) {
  let failure: { error: unknown; until: number } | null = null;
  let renewals = renewalsAtOnce;
  let countedAt = Date.now();
  let loads = 0;

  async function load(input: string | URL, init?: RequestInit): Promise<Response> {
    if (failure && Date.now() < failure.until) throw failure.error;
    try {
      const keys = await keysIn(await fetch(input, init));
      loads += 1;
      return Response.json({
        keys: template === undefined ? keys : keys.filter(key => isKeyOf(key, issuer, template)),
      });
    } catch (error) {
      failure = { error, until: Date.now() + failureKeptMs };
      throw error;
    }
  }

  const remote = createRemoteJWKSet(new URL(url), {
    [customFetch]: (input, init) => load(input, init as RequestInit),
    // Renewed here alone.
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: keysKeptMs,
    timeoutDuration: fetchMs,
  });

  function mayRenew(): boolean {
    const regained = Math.floor((Date.now() - countedAt) / renewalMs);
    renewals = Math.min(renewalsAtOnce, renewals + regained);
    countedAt += regained * renewalMs;
    if (renewals === 0) return false;
    renewals -= 1;
    return true;
  }

  return {
    find: remote,

    /** How often they were loaded. */
    loads: () => loads,

    /**
     * Whether there are other keys by now than after so many loads. Whoever comes while they are on their way waits for
     * the same ones.
     */
    async renew(seen: number): Promise<boolean> {
      if (!remote.reloading) {
        // The first load of all may have been on its way since before the token was made.
        if (loads > Math.max(seen, 1)) return true;
        if (!mayRenew()) return false;
      }
      await remote.reload();
      return true;
    },
  };
}

async function keysIn(response: Response): Promise<object[]> {
  const set = response.status === 200 ? ((await response.json().catch(() => null)) as { keys?: unknown } | null) : null;
  if (!Array.isArray(set?.keys)) throw new StepError('provider_response');
  return (set.keys as unknown[]).filter(key => typeof key === 'object' && key !== null);
}
