// What is asked of provisioning while somebody waits: who is this, who is meant, and link this one to them. With a time
// limit and a circuit breaker; when provisioning is down the answer is `dependency_unavailable`, and nobody is signed
// in.
import { setTimeout as pause } from 'node:timers/promises';
import {
  type FindIdentityRequest,
  type ForeseenIdentity,
  findIdentityResponse,
  foreseenIdentity,
  type Id,
  type LinkIdentityRequest,
  newEventId,
  ProblemError,
  problemSchema,
  type ResolveIdentityRequest,
  type ResolveIdentityResponse,
  resolveIdentityResponse,
} from '@reeve/contracts';
import { peerFetch } from '@reeve/service-kit';
import { BrokenCircuitError, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import { SignJWT } from 'jose';
import type { SigningKey } from '../signing-keys/signing-keys.ts';

export type IdentityResolver = ReturnType<typeof createIdentityResolver>;

type Question = 'resolve' | 'foresee' | 'find' | 'link';

const timeoutMs = 3_000;
const tokenSeconds = 60;
/** Provisioning asks for keys that it does not know once a second. */
const attemptsAtKey = 4;
const betweenAttemptsMs = 1_000;

/** The audience is what provisioning is called in tokens; the address is where it is found. */
type Parts = { audience: string; address: string; issuer: string; key: () => SigningKey };

export function createIdentityResolver({ audience, address, issuer, key }: Parts) {
  const unavailable = (error: unknown) => !(error instanceof ProblemError) || error.status >= 500;
  const breaker = circuitBreaker(handleWhen(unavailable), { halfOpenAfter: 2_000, breaker: new ConsecutiveBreaker(5) });

  let kept: { token: Promise<string>; kid: string; until: number } | undefined;

  /** The auth service's own token: it holds the keys, so it need not ask itself over HTTP. */
  function token(): Promise<string> {
    const { kid } = key();
    if (kept?.kid !== kid || kept.until < Date.now())
      kept = { token: sign(), kid, until: Date.now() + (tokenSeconds * 1_000) / 2 };
    return kept.token;
  }

  async function sign(): Promise<string> {
    const now = key();
    return new SignJWT({ client_id: 'reeve-auth', scope: 'internal:identities' })
      .setProtectedHeader({ alg: now.alg, kid: now.kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject('reeve-auth')
      .setIssuedAt()
      .setExpirationTime(`${tokenSeconds} s`)
      .setJti(newEventId())
      .sign(now);
  }

  const post = async (what: Question, request: object) =>
    peerFetch(`${address}/internal/identities:${what}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token()}`, 'content-type': 'application/json' },
      body: JSON.stringify(request),
      signal: AbortSignal.timeout(timeoutMs),
    });

  /** Null where there is nothing to say. */
  async function ask(what: Question, request: object): Promise<unknown> {
    let response = await post(what, request);
    // That our own token is not taken says nothing of the person: another key may have signed it than provisioning
    // knows yet.
    for (let attempt = 1; response.status === 401 && attempt < attemptsAtKey; attempt += 1) {
      await response.body?.cancel();
      await pause(betweenAttemptsMs);
      response = await post(what, request);
    }
    const body: unknown = response.status === 204 ? null : await response.json();
    if (response.ok) return body;
    const { code } = problemSchema.parse(body);
    throw response.status === 401 ? new Error(`provisioning does not take our token: ${code}`) : new ProblemError(code);
  }

  async function asked(what: Question, request: object): Promise<unknown> {
    try {
      return await breaker.execute(() => ask(what, request));
    } catch (error) {
      if (error instanceof ProblemError && error.status < 500) throw error;
      const detail =
        error instanceof BrokenCircuitError
          ? 'provisioning has not answered for a while'
          : 'provisioning does not answer';
      throw new ProblemError('dependency_unavailable', detail, { cause: error, retryAfterSeconds: 2 });
    }
  }

  return {
    resolve: async (request: ResolveIdentityRequest): Promise<ResolveIdentityResponse> =>
      resolveIdentityResponse.parse(await asked('resolve', request)),

    /** What `resolve` would come to; nothing is changed. */
    foresee: async (request: ResolveIdentityRequest): Promise<ForeseenIdentity> =>
      foreseenIdentity.parse(await asked('foresee', request)),

    /** Whom an identity provider means; null for nobody of its connection. */
    find: async (request: FindIdentityRequest): Promise<Id<'user'> | null> =>
      findIdentityResponse.parse(
        await asked('find', request).catch((cause: unknown) => {
          // One of before does not know the question: whoever asks is to come again.
          const isOld = cause instanceof ProblemError && cause.code === 'not_found';
          throw isOld ? new ProblemError('dependency_unavailable', undefined, { cause, retryAfterSeconds: 5 }) : cause;
        }),
      ).userId,

    /** Throws `identity_taken`, and `user_deactivated`. */
    async link(request: LinkIdentityRequest): Promise<void> {
      await asked('link', request);
    },
  };
}
