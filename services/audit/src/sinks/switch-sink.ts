import { readExisting, tenantRoute } from '@reeve/service-kit';
import { type Run, sinkView, switchedTo, viewOf } from './run.ts';
import { paused, resumed, sinksPath } from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

type Switch = {
  verb: 'pause' | 'resume';
  summary: string;
  status: Run['status'];
  happened: typeof paused | typeof resumed;
};

const switchBy =
  ({ verb, summary, status, happened }: Switch) =>
  (parts: Pick<SinkParts, 'sinks' | 'runs' | 'heads' | 'clock'>) =>
    tenantRoute({
      method: 'post',
      path: `${sinksPath}/{sinkId}:${verb}`,
      summary,
      action: 'audit:configure',
      versioned: true,
      response: sinkView,
      async handle({ tenantId, params: { sinkId: id }, cause, expectedVersion }) {
        const entry = await readExisting(parts.sinks.in(tenantId), id, { expectedVersion });
        const decide = (run: Run | null) => {
          const state = run && switchedTo(run, status, parts.clock.now());
          return state && { state, events: [happened(id, entry.state)] };
        };
        await parts.runs.in(tenantId).change(id, decide, { cause });
        return { body: await viewOf(parts, tenantId, entry), version: entry.version };
      },
    });

export const pauseSink = switchBy({
  verb: 'pause',
  summary: 'Stop delivering; the place in the log is kept',
  status: 'paused',
  happened: paused,
});

export const resumeSink = switchBy({
  verb: 'resume',
  summary: 'Deliver on from where it was paused',
  status: 'active',
  happened: resumed,
});
