// Puts on the tenant's record what its pages meet with. Nobody waits for it: whether a tenant is there would be told by
// how long an answer takes. What comes while something is written adds up, so that strangers, however many, have the
// store asked for one thing at a time.
import { type Cause, type EmbeddedFailure, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { worker } from '@reeve/service-kit';
import type { Clock, TenantEntry } from '@reeve/store';
import { keySchema } from '../auth-keys/auth-key.ts';
import { type EmbedFailure, type EmbedFailures, met, tellRest } from './embed-failure.ts';

type Noted = {
  tenantId: TenantId;
  code: EmbeddedFailure;
  /** As somebody says them. */
  origin: string | null | undefined;
  authKey: string | null | undefined;
  cause: Cause;
};

export type NoteFailure = (noted: Noted) => void;

type Parts = { failures: EmbedFailures; clock: Clock; onError: (error: unknown) => void };

const longestOrigin = 200;

export function createNoteFailures({ failures, clock, onError }: Parts) {
  let waiting = new Map<string, { last: Noted; count: number }>();
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      const all = waiting;
      waiting = new Map();
      for (const { last, count } of all.values()) await write(last, count).catch(onError);
    }
    writing = undefined;
  }

  async function write({ tenantId, code, cause, ...said }: Noted, count: number): Promise<void> {
    const page = { count, origin: originIn(said.origin), authKey: keyIn(said.authKey), at: clock.now() };
    await failures.in(tenantId).change(code, before => met(before, code, page), { cause });
  }

  const telling = worker<TenantEntry<EmbedFailure>, TenantEntry<EmbedFailure>>({
    due: (limit, except) =>
      failures.acrossTenants('what pages of all tenants met with in time that is over').due(limit, except),
    // Two instances that look at one at once write it once.
    take: async one => one,
    async work({ tenantId, id }) {
      const cause = serviceCause('auth', { correlationId: newEventId() });
      const code = id as EmbeddedFailure;
      await failures.in(tenantId).change(code, before => tellRest(before, code, clock.now()), { cause });
    },
    atOnce: 8,
    ofOneTenant: 4,
    everyMs: 5_000,
    onError,
  });

  return {
    note(noted: Noted): void {
      const key = `${noted.tenantId} ${noted.code}`;
      const count = (waiting.get(key)?.count ?? 0) + 1;
      waiting.set(key, { last: noted, count });
      writing ??= writeAll();
    },
    start: () => telling.start(),
    /** When what was noted is written. */
    async stop(): Promise<void> {
      await Promise.all([telling.stop(), writing]);
    },
  };
}

/** What is on the record is an origin, and no other text that somebody pleases to send. */
const originIn = (text: string | null | undefined): string | null =>
  text && text.length <= longestOrigin && URL.parse(text)?.origin === text ? text : null;

const keyIn = (text: string | null | undefined): string | null => keySchema.safeParse(text).data ?? null;
