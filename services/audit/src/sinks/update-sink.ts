import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { kindOf, target } from './kinds/registry.ts';
import { type Run, sinkView, startAfresh, viewOf } from './run.ts';
import {
  credential,
  credentialFor,
  credentialRef,
  type Sink,
  sinkName,
  sinkRefusals,
  sinksPath,
  takesCredential,
  update,
} from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

export const updateSink = (parts: SinkParts) =>
  tenantRoute({
    method: 'patch',
    path: `${sinksPath}/{sinkId}`,
    summary: 'Change name, target or credential; its kind and its place in the log stay',
    action: 'audit:configure',
    versioned: true,
    body: z.strictObject({ name: sinkName.optional(), target: target.optional(), credential: credential.optional() }),
    response: sinkView,
    async handle({ tenantId, params: { sinkId: id }, body, cause, expectedVersion }) {
      const sinks = parts.sinks.in(tenantId);
      const { state: current } = await readExisting(sinks, id);
      const to = body.target ?? current.target;
      update(id, current, body);
      kindOf(to).assertReachable(parts.network, to);
      const needsFirst = takesCredential(to) && !takesCredential(current.target);
      const kept = body.credential === undefined && !needsFirst ? null : credentialFor(to, body.credential).kept;
      const entry = await changeExisting(sinks, id, (sink: Sink) => update(id, sink, body), {
        cause,
        expectedVersion,
        ...sinkRefusals,
        // Only where the sink may be changed, and before it is: whoever delivers by the new target has the new
        // credential.
        async gather() {
          if (kept !== null) await parts.vault.put(tenantId, credentialRef(id), kept, cause);
        },
      });
      // What was mended is tried at once.
      const soon = (run: Run | null) => run && { state: startAfresh(run, parts.clock.now()), events: [] };
      await parts.runs.in(tenantId).change(id, soon, { cause });
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });
