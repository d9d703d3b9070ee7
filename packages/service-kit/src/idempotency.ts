// Idempotency-Key: the first answer is kept for a day and given again. The id that the request creates is chosen when
// the key is reserved, so that a retry after a crash in between finds what the first try made instead of making
// another.
import { createHash } from 'node:crypto';
import { type Id, idPrefixes, newId, ProblemError, type TenantId } from '@reeve/contracts';
import { collection, type Store } from '@reeve/store';
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
/** After this the first try is taken for dead. Longer than any request may run. */
const abandonedMs = 15_000;

export type Idempotency = ReturnType<typeof createIdempotency>;

export const idempotencyKeys = collection<Reservation>({
  name: 'idempotency_keys',
  expiresAt: state => state.expiresAt,
});

export function createIdempotency(store: Store) {
  const reservations = store.collection(idempotencyKeys);

  return {
    /**
     * Runs `work` unless this key has its answer. `scope` is who asks for what; `request` the bytes that have to be the
     * same. Throws `idempotency_key_reused` for another request under the key and `request_in_progress` while the first
     * runs.
     */
    async once(
      { tenantId, scope, key, request }: { tenantId: TenantId; scope: string; key: string; request: string },
      work: (freshId: FreshId) => Promise<{ answer: Answer; kept: Answer }>,
    ): Promise<Answer> {
      const id = createHash('sha256').update(`${scope}\n${key}`).digest('hex');
      const requestSha256 = createHash('sha256').update(request).digest('hex');
      const mine = reservations.in(tenantId);
      const now = store.clock.now();
      const fresh: Reservation = {
        requestSha256,
        seed: newId('request').slice(idPrefixes.request.length + 1),
        startedAt: now.getTime(),
        answer: null,
        expiresAt: new Date(now.getTime() + keptMs),
      };
      let reservation = fresh;
      if ((await mine.insertInOrder([{ id, state: fresh }])) === 0) {
        const found = (await mine.get(id))?.state;
        if (found && found.requestSha256 !== requestSha256) throw new ProblemError('idempotency_key_reused');
        if (found?.answer) return found.answer;
        if (found && now.getTime() - found.startedAt < abandonedMs)
          throw new ProblemError('request_in_progress', undefined, { retryAfterSeconds: 1 });
        reservation = { ...(found ?? fresh), startedAt: now.getTime() };
        await mine.put(id, reservation);
      }
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
