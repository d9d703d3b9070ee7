// After a restore from a backup, checkpoints that were signed since then are on the topic of the records, and not in
// the store. Whoever has them holds us to them: they are taken back before anything is signed, so that no number is
// signed twice. Records are read again from the topics that they came from, and are the same to the byte.
import { genesisHash, hashOfStatement, type KeySet, readStatement, StatementError } from '@reeve/audit-log';
import { newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { EventBus } from '@reeve/event-bus';
import { z } from 'zod';
import { type Checkpoints, checkpointId, lastCheckpoint } from './checkpoint.ts';

type Parts = {
  bus: Pick<EventBus, 'readTopics'>;
  checkpoints: Checkpoints;
  keys: KeySet;
  /** Told of each that cannot be taken back: then two may be signed for one number. */
  onRefused: (problem: { code: string; detail: string }) => void;
};

const topic = 'reeve.audit.v1';
/** For clocks that differ. */
const marginMs = 600_000;
const signedStatement = z.object({ raw_data: z.string() });

/** Returns how many were taken back. Those that are there already are left as they are. */
export async function recoverCheckpoints(parts: Parts, since: Date): Promise<number> {
  const { bus, checkpoints, keys, onRefused } = parts;
  const cause = serviceCause('audit', { correlationId: newEventId() });
  let recovered = 0;
  await bus.readTopics(
    [topic],
    async ({ message: { headers, value } }) => {
      if (headers?.['ce_type']?.toString() !== 'checkpoint.signed' || value === null) return;
      try {
        const { raw_data: jws } = signedStatement.parse(JSON.parse(value.toString('utf8')));
        const { kind, content } = await readStatement(jws, keys);
        if (kind !== 'reeve-checkpoint') return;
        const { tenantId, number, time, previous } = content;
        const own = checkpoints.in(tenantId as TenantId);
        const known = await own.get(checkpointId(number));
        const detail = `checkpoint ${number} of ${tenantId}`;
        if (known) {
          if (known.state.jws !== jws) onRefused({ code: 'checkpoint_signed_twice', detail });
          return;
        }
        // One after the other, as they were signed: whoever has a key may not lead the log anywhere else.
        const last = await lastCheckpoint(checkpoints, tenantId as TenantId);
        const follows =
          number === (last?.number ?? 0) + 1 && previous === (last ? hashOfStatement(last.jws) : genesisHash);
        if (!follows) return onRefused({ code: 'checkpoint_does_not_follow', detail });
        if (await own.create(checkpointId(number), { state: { number, time, jws }, events: [] }, cause)) recovered += 1;
      } catch (error) {
        if (!(error instanceof StatementError || error instanceof z.ZodError || error instanceof SyntaxError))
          throw error;
        onRefused({ code: 'checkpoint_unreadable', detail: error.message });
      }
    },
    new Date(since.getTime() - marginMs),
  );
  return recovered;
}
