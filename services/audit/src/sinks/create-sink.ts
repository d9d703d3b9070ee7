import { type Cause, type Id, invalidField, ProblemError } from '@reeve/contracts';
import { createOnce, tenantRoute } from '@reeve/service-kit';
import { DuplicateKeyError, type TenantCollection } from '@reeve/store';
import { z } from 'zod';
import { kindOf, target } from './kinds/registry.ts';
import { newRun, positionAt, sinkView, start, viewOf } from './run.ts';
import {
  create,
  credential,
  credentialFor,
  credentialRef,
  freeSlots,
  mostSinks,
  type Sink,
  sinkName,
  sinkRefusals,
  sinksPath,
  types,
} from './sink.ts';
import type { SinkParts } from './sink-parts.ts';

const firstTurnAfterMs = 1_000;

export const createSink = (parts: SinkParts) =>
  tenantRoute({
    method: 'post',
    path: sinksPath,
    summary:
      'Push the log to a place outside, from the beginning unless `start` says otherwise; ' +
      'of some types alone from now on',
    action: 'audit:configure',
    body: z.strictObject({
      name: sinkName,
      target,
      types: types.optional(),
      credential: credential.optional(),
      start: start.optional(),
    }),
    status: 201,
    response: sinkView.extend({
      credential: z.string().nullable().describe('The signing secret that was made, shown once'),
    }),
    withoutSecrets: body => ({ ...body, credential: null }),
    async handle({ tenantId, body, cause, freshId }) {
      const id = freshId('sink');
      const sinks = parts.sinks.in(tenantId);
      const { name, target: to, types: only = null } = body;
      const kind = kindOf(to);
      kind.assertReachable(parts.network, to);
      if (kind.takes === 'hourly objects' && only) throw invalidField('types', `${to.kind} takes the whole log`);
      const { kept, made } = credentialFor(to, body.credential);
      async function make() {
        const free = await freeSlotsIn(sinks);
        if (kept !== null) await parts.vault.put(tenantId, credentialRef(id), kept, cause);
        // A sink that notifies of alerts does not want those of past years.
        const position = await positionAt(parts, tenantId, body.start ?? (only ? 'now' : 'beginning'));
        const now = parts.clock.now();
        // Before the sink: a run without one is removed when its turn comes, and the credential with it.
        await parts.runs.in(tenantId).put(id, newRun(position, new Date(now.getTime() + firstTurnAfterMs)));
        const sink = { name, target: to, types: only, createdAt: now.toISOString() };
        return createInSlot(sinks, id, { sink, free, cause });
      }
      // What the first of two equal requests made has its credential, and may have delivered already.
      const found = await sinks.get(id);
      const { entry, isNew } = found ? { entry: found, isNew: false } : await make();
      const shown = await viewOf(parts, tenantId, entry);
      return { body: { ...shown, credential: isNew ? made : null }, version: entry.version };
    },
  });

const tooMany = () => new ProblemError('sink_limit', `a tenant has at most ${mostSinks} sinks`);

async function freeSlotsIn(sinks: TenantCollection<Sink>): Promise<number[]> {
  const { items } = await sinks.list('inOrder', {}, { limit: mostSinks });
  const free = freeSlots(items.map(({ state }) => state));
  if (free.length === 0) throw tooMany();
  return free;
}

/** Of those who ask at the same time one gets a slot, and the others take the next. */
async function createInSlot(
  sinks: TenantCollection<Sink>,
  id: Id<'sink'>,
  { sink, free, cause }: { sink: Omit<Sink, 'slot'>; free: readonly number[]; cause: Cause },
) {
  for (const slot of free) {
    try {
      return await createOnce(sinks, id, create(id, { ...sink, slot }), { cause, ...sinkRefusals });
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
    }
  }
  throw tooMany();
}
