// Verifies access tokens (RFC 9068) at an API of the product: one issuer, a closed list of algorithms, this API as
// audience, a type that no other token has, and, by the stream of revocations, whether it still counts.
import { longestAccessTokenMs } from '@reeve/contracts';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { ReeveError } from './errors.ts';
import { type Identity, identityOf } from './identity.ts';
import { assertSecure, createKeys, type Fetch } from './issuer.ts';
import { createProofCheck, type Request } from './proof-of-possession.ts';
import { assertMeets, type Requirement } from './requirement.ts';
import { createKnownRevocations } from './revocations/known.ts';
import type { RevocationSource, RunningSource } from './revocations/source.ts';
import { createFormCheck, saysOneThing } from './token-form.ts';

/** Those by which the issuer signs access tokens. */
export type Algorithm = 'ES256' | 'RS256';

export type VerifierOptions = {
  /** As it stands in `iss`, and in the issuer's metadata. */
  issuer: string;
  /** As it stands in `aud`: the `identifier` of the API. */
  audience: string;
  /**
   * Where it is learnt what is revoked, and by how much that may be behind before nobody is let in. `not_followed`
   * lets a token count until it expires, which is five minutes at most.
   */
  revocations: { from: RevocationSource; staleAfterMs: number } | 'not_followed';
  /** The algorithm of the API, where it is known; else both. */
  algorithms?: readonly Algorithm[];
  /** Whether machines of the platform are let in that act in no tenant. */
  allowWithoutTenant?: boolean;
  /** What clients call this API, in proofs of possession. Unless said, `audience`, where that is a URL. */
  publicUrl?: string;
  /** Told of failures that pass by themselves, such as a feed that was cut off. */
  onFailure?: (error: unknown) => void;
  fetch?: Fetch;
  /** Milliseconds since the epoch. */
  now?: () => number;
};

/** What of a request says who sent it. */
export type Presented = {
  /** All values of the header `Authorization`. */
  authorization: readonly string[];
  /** All values of the header `DPoP`. */
  dpop: readonly string[];
  method: string;
  /** Path and query, or the whole address. */
  url: string;
};

export type Verifier = ReturnType<typeof createVerifier>;

const clockToleranceSeconds = 5;
const maxAgeSeconds = longestAccessTokenMs / 1_000 + 60;
const longestStartMs = 10_000;

const credentials = /^(bearer|dpop) +([\w~+/.=-]+)$/i;

export function createVerifier(options: VerifierOptions) {
  const { issuer, audience, revocations, now = () => Date.now(), onFailure = () => undefined } = options;
  const { algorithms = ['ES256', 'RS256'], allowWithoutTenant = false, publicUrl = audience } = options;
  const fetch: Fetch = options.fetch ?? ((...given) => globalThis.fetch(...given));
  assertSecure(issuer);
  const keysOfIssuer = createKeys({ issuer, fetch, now });
  const assertProof = createProofCheck({ now });
  const wrongInForm = createFormCheck(algorithms);
  const known = createKnownRevocations({ now });
  const expected = {
    issuer,
    audience,
    algorithms: [...algorithms],
    typ: 'at+jwt',
    clockTolerance: clockToleranceSeconds,
    maxTokenAge: maxAgeSeconds,
    requiredClaims: ['exp', 'iat', 'sub', 'jti'],
  };
  let source: RunningSource | null = null;
  let lastFailure: unknown;

  function tellFailure(error: unknown) {
    lastFailure = error;
    onFailure(error);
  }

  async function claimsOf(token: string): Promise<JWTPayload> {
    const wrong = wrongInForm(token);
    if (wrong !== null) throw new ReeveError('token_invalid', wrong);
    const keys = await keysOfIssuer();
    const { payload } = await jwtVerify(token, keys, { ...expected, currentDate: new Date(now()) }).catch(
      (cause: unknown) => {
        throw refusalFor(cause);
      },
    );
    if (!saysOneThing(token, payload)) throw new ReeveError('token_invalid', 'it has a member twice');
    return payload;
  }

  function stillGood(identity: Identity): Identity {
    if (revocations === 'not_followed') return identity;
    const behindMs = source?.behindMs() ?? Infinity;
    if (behindMs > revocations.staleAfterMs)
      throw new ReeveError('revocations_stale', source ? undefined : 'the verifier is not started', {
        cause: lastFailure,
      });
    const good = known.now(identity);
    if (!good) throw new ReeveError('token_revoked');
    return good;
  }

  async function verified(token: string): Promise<Identity> {
    const claims = await claimsOf(token);
    // For one API alone: a token that others take as well would let them come here with it.
    if (claims.aud !== audience) throw new ReeveError('token_invalid', 'it is for others as well');
    return stillGood(identityOf(claims, { allowWithoutTenant }));
  }

  return {
    /**
     * Follows what is revoked. Resolves when that is known; rejects with `revocations_stale` where it takes more than
     * `withinMs`, and has then stopped. `cause` says what was in the way.
     */
    async start({ withinMs = longestStartMs }: { withinMs?: number } = {}): Promise<void> {
      if (revocations === 'not_followed' || source) return;
      const learn = (entry: unknown) => {
        if (!known.learn(entry)) onFailure(new Error('a revocation could not be read'));
      };
      source = revocations.from({ issuer, fetch, learn, onFailure: tellFailure });
      const { promise: late, resolve } = Promise.withResolvers<'late'>();
      const timer = setTimeout(() => resolve('late'), withinMs);
      const outcome = await Promise.race([source.caughtUp, late]);
      clearTimeout(timer);
      if (outcome !== 'late') return;
      await this.stop();
      throw new ReeveError('revocations_stale', undefined, { cause: lastFailure });
    },

    async stop(): Promise<void> {
      const running = source;
      source = null;
      await running?.stop();
    },

    /** By how many milliseconds what is known to be revoked may be behind. For a readiness check, and for metrics. */
    behindMs: (): number => (revocations === 'not_followed' ? 0 : (source?.behindMs() ?? Infinity)),

    /**
     * Of a token that came otherwise than with a request, over a socket for instance. One that is bound to a key is
     * refused, since nothing proves that its sender has the key.
     *
     * Throws `token_invalid`, `token_expired`, `token_revoked`, `revocations_stale`, `issuer_unavailable`, and what
     * the requirement is not met by.
     */
    async verify(token: string, requirement: Requirement = {}): Promise<Identity> {
      const identity = await verified(token);
      if (identity.boundTo !== null) throw new ReeveError('dpop_proof_invalid', 'there is none');
      assertMeets(identity, requirement, now());
      return identity;
    },

    /** Of a request. Throws what `verify` throws, `token_missing` and `dpop_proof_invalid`. */
    async authenticate(presented: Presented, requirement: Requirement = {}): Promise<Identity> {
      const [header, ...more] = presented.authorization;
      if (header === undefined) throw new ReeveError('token_missing');
      const [, scheme = '', token = ''] = credentials.exec(header) ?? [];
      if (token === '' || more.length > 0) throw new ReeveError('token_invalid', 'Authorization is not readable');
      const identity = await verified(token);
      const { boundTo } = identity;
      if ((boundTo !== null) !== (scheme.toLowerCase() === 'dpop'))
        throw new ReeveError('token_invalid', 'it was sent by the scheme of another kind of token');
      if (boundTo !== null) {
        const request: Request = { method: presented.method, url: addressOf(presented.url, publicUrl) };
        await assertProof({ proofs: presented.dpop, token, boundTo, request });
      }
      assertMeets(identity, requirement, now());
      return identity;
    },
  };
}

/** The host that a request names is its sender's to choose. */
function addressOf(url: string, publicUrl: string): string {
  const path = URL.parse(url, 'http://localhost');
  const own = URL.parse(publicUrl);
  if (!path || !own?.protocol.startsWith('http'))
    throw new ReeveError('dpop_proof_invalid', 'publicUrl is not set, so no proof can be for this API');
  return own.origin + path.pathname;
}

function refusalFor(cause: unknown): ReeveError {
  if (cause instanceof errors.JWTExpired) return new ReeveError('token_expired', undefined, { cause });
  const isIssuers =
    !(cause instanceof errors.JOSEError) ||
    ['ERR_JWKS_TIMEOUT', 'ERR_JOSE_GENERIC', 'ERR_JWKS_INVALID'].includes(cause.code);
  return new ReeveError(isIssuers ? 'issuer_unavailable' : 'token_invalid', undefined, { cause });
}
