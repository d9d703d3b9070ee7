// Sessions of an application whose server holds the tokens (backend for frontend): they are kept in a store, behind an
// unguessable cookie, and never reach the browser. In a store and not in the cookie, since the issuer ends sessions
// from afar, and since of two requests that refresh at once both need what one of them got.
import { ReeveError } from '../errors.ts';
import type { Claims, RelyingParty, Tokens } from './relying-party.ts';
import { keyFor, newSecret, seal, unseal } from './sealing.ts';
import type { SessionStore } from './store.ts';

/** Somebody who is signed in at the browser that sent a request. */
export type BrowserSession = {
  sub: string;
  tenantId: string;
  /** Of the session at the issuer. */
  sessionId: string;
  /** Of the ID token. */
  claims: Claims;
  /** For each form, in the field `csrf`, and for each request of a script, in the header `X-CSRF-Token`. */
  csrfToken: string;
  /**
   * For an API, refreshed where it is about to expire. Throws `session_over` where the issuer gives no more, and
   * `issuer_unavailable`.
   */
  accessToken(): Promise<string>;
};

export type Kept = { claims: Claims; tokens: Tokens; csrf: string; until: number };
export type Found = { secret: string; kept: Kept };

/** An access token that has less than this left is refreshed first. */
const marginMs = 30_000;

export function createSessions({
  store,
  relyingParty,
  lifetimeMs,
  now,
}: {
  store: SessionStore;
  relyingParty: Pick<RelyingParty, 'refresh'>;
  lifetimeMs: number;
  now: () => number;
}) {
  const refreshing = new Map<string, Promise<Tokens>>();
  const keyOf = (secret: string) => keyFor('session', secret);
  const entryOf = async (secret: string, kept: Kept) => {
    const { sid, sub } = kept.claims;
    return { value: await seal(secret, kept), until: new Date(kept.until), sid, sub };
  };

  async function find(secret: string): Promise<Found | null> {
    const entry = await store.get(keyOf(secret));
    const kept = entry && (await unseal<Kept>(secret, entry.value));
    return kept && kept.until > now() ? { secret, kept } : null;
  }

  const isFresh = ({ accessUntil }: Tokens) => accessUntil - now() > marginMs;

  async function refresh(secret: string): Promise<Tokens> {
    const found = await find(secret);
    if (!found) throw new ReeveError('session_over');
    const { kept } = found;
    // Another process may have done it.
    if (isFresh(kept.tokens)) return kept.tokens;
    try {
      const tokens = await relyingParty.refresh(kept.tokens);
      // One that was ended meanwhile stays so.
      const isThere = await store.replace(keyOf(secret), await entryOf(secret, { ...kept, tokens }));
      if (!isThere) throw new ReeveError('session_over');
      return tokens;
    } catch (error) {
      if (error instanceof ReeveError && error.code === 'session_over') await store.take(keyOf(secret));
      throw error;
    }
  }

  /** Requests of one page come together: one of them refreshes, and all get what it got. */
  function refreshOnce(secret: string): Promise<Tokens> {
    const key = keyOf(secret);
    const running = refreshing.get(key) ?? refresh(secret).finally(() => refreshing.delete(key));
    refreshing.set(key, running);
    return running;
  }

  return {
    find,

    /** Gives the secret of a new one. */
    async begin(signedIn: { claims: Claims; tokens: Tokens }): Promise<string> {
      const secret = newSecret();
      const kept = { ...signedIn, csrf: newSecret(), until: now() + lifetimeMs };
      await store.add(keyOf(secret), await entryOf(secret, kept));
      return secret;
    },

    end: (secret: string) => store.take(keyOf(secret)),

    /** As the handlers of a request get it. */
    shown({ secret, kept }: Found): BrowserSession {
      const { claims, csrf } = kept;
      let { tokens } = kept;
      return {
        sub: claims.sub,
        tenantId: claims.tid,
        sessionId: claims.sid,
        claims,
        csrfToken: csrf,
        async accessToken() {
          if (!isFresh(tokens)) tokens = await refreshOnce(secret);
          return tokens.accessToken;
        },
      };
    },
  };
}
