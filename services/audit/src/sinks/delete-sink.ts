import { changeExisting, tenantRoute } from '@reeve/service-kit';
import { remove, type Sink, sinksPath } from './sink.ts';
import { credentialRef } from './sink-credential.ts';
import type { SinkParts } from './sink-parts.ts';

export const deleteSink = ({ sinks, vault, clock }: Pick<SinkParts, 'sinks' | 'vault' | 'clock'>) =>
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
      await vault.destroy(tenantId, credentialRef(id), cause);
      return { body: undefined };
    },
  });
