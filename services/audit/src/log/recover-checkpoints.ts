// After a restore from a backup, checkpoints that were signed since then are on the topic of the records, and not in the
// store. Whoever has them holds us to them: they are taken back before anything is signed, so that no number is signed
// twice. Records are read again from the topics that they came from, and are the same to the byte.
import { type KeySet, readStatement, StatementError } from '@reeve/audit-log';
import { newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { EventBus } from '@reeve/event-bus';
import { z } from 'zod';
import { type Checkpoints, checkpointId } from './checkpoint.ts';

type Parts = {
  bus: Pick<EventBus, 'readTopics'>;
  checkpoints: Checkpoints;
  keys: KeySet;
  /** Told of each that cannot be taken back: then two may be signed for one number. */
  onRefused: (problem: { code: string; detail: string }) => void;
};

const topic = 'reeve.audit.v1';
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
        const { tenantId, number, time } = content;
        const own = checkpoints.in(tenantId as TenantId);
        const decision = { state: { number, time, jws }, events: [] };
        if (await own.create(checkpointId(number), decision, cause)) recovered += 1;
        else if ((await own.get(checkpointId(number)))?.state.jws !== jws)
          onRefused({ code: 'checkpoint_signed_twice', detail: `checkpoint ${number} of ${tenantId}` });
      } catch (error) {
        if (!(error instanceof StatementError || error instanceof z.ZodError || error instanceof SyntaxError))
          throw error;
        onRefused({ code: 'checkpoint_unreadable', detail: error.message });
      }
    },
    since,
  );
  return recovered;
}
