// The bot's own access token, kept until shortly before it expires and got once however many ask.
// Knows nothing of HTTP; how it is got is handed in.

export type Granted = { token: string; expiresInMs: number };
/** `until` is when it expires, in ms. */
export type AppToken = { token: string; until: number };

/** `isFinal` says that asking again changes nothing: Reeve has refused the application. */
export class NoTokenError extends Error {
  readonly isFinal: boolean;

  constructor(message: string, { isFinal, cause }: { isFinal: boolean; cause: unknown }) {
    super(message, { cause });
    this.name = 'NoTokenError';
    this.isFinal = isFinal;
  }
}

type Parts = { grant(): Promise<Granted>; now(): number };
type Held = AppToken & { renewAt: number };

/** The SDK asks anew 30 s before the end of what it was given: what is handed out has to last longer. */
const renewBeforeMs = 60_000;
/** Reeve counts wrong secrets: thirty in five minutes, and the right one is refused as well. */
const refusedForMs = 15_000;

export function createAppToken({ grant, now }: Parts) {
  let held: Held | null = null;
  let refused: { error: NoTokenError; until: number } | null = null;
  let flight: Promise<Held> | null = null;

  async function renew(): Promise<Held> {
    try {
      const { token, expiresInMs } = await grant();
      const askedAt = now();
      refused = null;
      held = {
        token,
        renewAt: askedAt + expiresInMs - Math.min(renewBeforeMs, expiresInMs / 2),
        until: askedAt + expiresInMs,
      };
      return held;
    } catch (error) {
      if (error instanceof NoTokenError && error.isFinal) {
        held = null;
        refused = { error, until: now() + refusedForMs };
      }
      throw error;
    }
  }

  return {
    /** Throws NoTokenError. `isFresh` gets a new one, even where the old one still counts. */
    async get({ isFresh = false }: { isFresh?: boolean } = {}): Promise<AppToken> {
      if (refused !== null && refused.until > now()) throw refused.error;
      if (held !== null && !isFresh && held.renewAt > now()) return held;
      flight ??= renew().finally(() => {
        flight = null;
      });
      try {
        return await flight;
      } catch (error) {
        // Reeve is away, and what was got before still counts.
        if (held !== null && held.until > now()) return held;
        throw error;
      }
    },
  };
}
