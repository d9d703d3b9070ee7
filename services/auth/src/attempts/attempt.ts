// An attempt to sign in, as it went: every step, when, how long, what was seen, and where it ended. For the tenant's
// administrators, for a week. Of attempts whose tenant was never known there is none. Owns no decision: what became of
// the attempt is in the log.
import { type SignInCause, type SignInFailure, signInCauses, type TenantId } from '@reeve/contracts';
import type { Seen } from '@reeve/relying-party';
import { type Collections, collection, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { Said } from '../connections/rehearsal.ts';

export const attemptOutcomes = ['under_way', 'succeeded', 'failed'] as const;

export type TraceEntry = {
  at: string;
  step: string;
  ms: number;
  outcome: 'done' | 'asked' | 'left' | 'failed';
  seen: Seen;
};

export type Attempt = {
  outcome: (typeof attemptOutcomes)[number];
  reason: SignInFailure | null;
  cause: SignInCause | null;
  startedAt: string;
  updatedAt: string;
  connectionId: string | null;
  method: string | null;
  clientId: string;
  userId: string | null;
  /** Of the person, as the provider or the application says; in lowercase. */
  email: string | null;
  ip: string | null;
  userAgent: string | null;
  /** What the person was shown, to be found by. */
  reference: string | null;
  steps: TraceEntry[];
  /** What the provider said of the person, to rehearse changes with; shown nowhere. */
  said?: Said | null;
};

export type Attempts = Collections<Attempt>;
/** What a sign-in tells of itself; `id` is that of its interaction. */
export type RecordAttempt = (tenantId: TenantId, id: string, attempt: Attempt) => Promise<void>;

const keptMs = 7 * 86_400_000;

export const attempts = collection<Attempt>({
  name: 'sign_in_attempts',
  queries: {
    inOrder: {
      equality: [],
      sort: 'startedAt',
      direction: 'descending',
      narrowedBy: ['outcome', 'cause', 'connectionId'],
    },
    byEmail: { equality: ['email'], sort: 'startedAt', direction: 'descending' },
  },
  expiresAt: ({ startedAt }) => new Date(Date.parse(startedAt) + keptMs),
});

export const recordAttempts =
  (collections: Attempts): RecordAttempt =>
  async (tenantId, id, attempt) => {
    const own = collections.in(tenantId);
    // The same answer may come once more, and is refused then: whoever is signed in is so all the same.
    if (attempt.outcome === 'failed' && (await own.get(id))?.state.outcome === 'succeeded') return;
    await own.put(id, attempt);
  };

const seenView = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export const attemptView = z.object({
  id: z.string(),
  outcome: z.enum(attemptOutcomes),
  reason: z.string().nullable(),
  cause: z.string().nullable(),
  meaning: z.string().nullable().describe('Of the cause'),
  whatToDo: z.string().nullable(),
  startedAt: z.string(),
  updatedAt: z.string(),
  connectionId: z.string().nullable(),
  method: z.string().nullable(),
  clientId: z.string(),
  userId: z.string().nullable(),
  email: z.string().nullable(),
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  reference: z.string().nullable(),
});

export const attemptWithSteps = attemptView.extend({
  steps: z.array(
    z.object({
      at: z.string(),
      step: z.string(),
      ms: z.number(),
      outcome: z.enum(['done', 'asked', 'left', 'failed']),
      seen: seenView,
    }),
  ),
  text: z.string().describe('All of it, for copying into a support ticket'),
});

export function viewOf({ id, state }: Entry<Attempt>): z.infer<typeof attemptView> {
  const [meaning, whatToDo] = state.cause === null ? [null, null] : signInCauses[state.cause];
  const { steps: _, said: __, ...rest } = state;
  return { id, ...rest, meaning, whatToDo };
}

export function viewWithSteps(entry: Entry<Attempt>): z.infer<typeof attemptWithSteps> {
  return { ...viewOf(entry), steps: entry.state.steps, text: textOf(entry) };
}

function textOf(entry: Entry<Attempt>): string {
  const { steps, cause, meaning, whatToDo, ...rest } = { ...viewOf(entry), steps: entry.state.steps };
  const line = ([name, value]: [string, Seen[string]]) => `${name}: ${oneLine(value)}`;
  const head = Object.entries(rest).map(line);
  const why = cause === null ? [] : [`cause: ${cause}`, `  ${meaning}`, `  ${whatToDo}`];
  const trace = steps.flatMap(({ at, step, ms, outcome, seen }) => [
    `${at} ${step} ${outcome} (${ms} ms)`,
    ...Object.entries(seen).map(one => `  ${line(one)}`),
  ]);
  return [...head, ...why, ...trace].join('\n');
}

/** What others have said stays on the line that says what it is. */
const oneLine = (value: Seen[string]): string => String(value ?? '-').replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
