// Idempotency-Key: the first answer is kept for a day and given again. The id that the request creates is chosen when
// the key is reserved, so that a retry after a crash in between finds what the first try made instead of making
// another.
import { createHash } from 'node:crypto';
import { type Cause, type Id, idPrefixes, newId, ProblemError, type TenantId } from '@reeve/contracts';
import { collection, type Decision, type Store } from '@reeve/store';
import type { Answer } from './answer.ts';
import type { FreshId } from './route.ts';

type Reservation = {
  requestSha256: string;
  /** The UUID part of the ids this request creates. */
  seed: string;
  startedAt: number;
  answer: Answer | null;
  expiresAt: Date;
};

export const idempotencyKeyForm = /^[\x21-\x7e]{1,200}$/;

const keptMs = 86_400_000;
/** After this the first try is taken for dead. Longer than any request runs: trying out a sink takes 20 s. */
const abandonedMs = 30_000;

/** What an Idempotency-Key stands for. `scope` is who asks for what; `request` the bytes that have to be the same. */
export type Once = { tenantId: TenantId; scope: string; key: string; request: string; cause: Cause };

export type Idempotency = ReturnType<typeof createIdempotency>;

export const idempotencyKeys = collection<Reservation>({
  name: 'idempotency_keys',
  expiresAt: state => state.expiresAt,
});

/** With which reservation the work begins. Null where it was done before. */
function reserve(found: Reservation | null, fresh: Reservation): Decision<Reservation> {
  if (!found) return { state: fresh, events: [] };
  if (found.requestSha256 !== fresh.requestSha256) throw new ProblemError('idempotency_key_reused');
  if (found.answer) return null;
  if (fresh.startedAt - found.startedAt < abandonedMs)
    throw new ProblemError('request_in_progress', undefined, { retryAfterSeconds: 1 });
  return { state: { ...found, startedAt: fresh.startedAt }, events: [] };
}

export function createIdempotency(store: Store) {
  const reservations = store.collection(idempotencyKeys);

  return {
    /**
     * Runs `work` unless this key has its answer. Throws `idempotency_key_reused` for another request under the key and
     * `request_in_progress` while the first runs.
     */
    async once(
      { tenantId, scope, key, request, cause }: Once,
      work: (freshId: FreshId) => Promise<{ answer: Answer; kept: Answer }>,
    ): Promise<Answer> {
      const id = createHash('sha256').update(`${scope}\n${key}`).digest('hex');
      const mine = reservations.in(tenantId);
      const now = store.clock.now();
      const fresh: Reservation = {
        requestSha256: createHash('sha256').update(request).digest('hex'),
        seed: newId('request').slice(idPrefixes.request.length + 1),
        startedAt: now.getTime(),
        answer: null,
        expiresAt: new Date(now.getTime() + keptMs),
      };
      // Most keys are new. Of several that find one abandoned, the first to write has it, and the others see that.
      const reserved =
        (await mine.create(id, { state: fresh, events: [] }, cause)) ??
        (await mine.change(id, found => reserve(found, fresh), { cause }));
      const reservation = reserved?.state ?? fresh;
      if (reservation.answer) return reservation.answer;
      try {
        let created = 0;
        const { answer, kept } = await work(kind => {
          created += 1;
          return created === 1 ? (`${idPrefixes[kind]}_${reservation.seed}` as Id<typeof kind>) : newId(kind);
        });
        await mine.put(id, { ...reservation, answer: kept });
        return answer;
      } catch (error) {
        // A refusal changed nothing: the same key may be tried again with the cause removed.
        if (error instanceof ProblemError && error.status < 500) await mine.remove(id);
        else await mine.put(id, { ...reservation, startedAt: 0 });
        throw error;
      }
    },
  };
}
