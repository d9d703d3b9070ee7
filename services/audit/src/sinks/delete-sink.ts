import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { type Run, startAfresh } from './run.ts';
import { credentialRef, remove, type Sink, sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const deleteSink = ({ sinks, runs, vault, clock }: Pick<SinkParts, 'sinks' | 'runs' | 'vault' | 'clock'>) =>
  tenantRoute({
    method: 'delete',
    path: `${sinksPath}/{sinkId}`,
    summary: 'Remove a sink and its credential',
    action: 'audit:configure',
    versioned: true,
    status: 204,
    async handle({ tenantId, params: { sinkId: id }, cause, expectedVersion }) {
      const decide = (sink: Sink) => remove(id, sink, clock.now());
      await changeExisting(sinks.in(tenantId), id, decide, { cause, expectedVersion });
      // The run goes when its turn comes (sink-runner.ts), which that of a paused sink would not.
      const lastTurn = (run: Run | null) =>
        run && { state: startAfresh({ ...run, status: 'active' }, clock.now()), events: [] };
      await runs.in(tenantId).change(id, lastTurn, { cause });
      await vault.destroy(tenantId, credentialRef(id), cause);
      return { body: undefined };
    },
  });
