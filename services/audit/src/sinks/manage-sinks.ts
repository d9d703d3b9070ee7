import { type ChainedRecord, chain, formats, testChain } from '@reeve/audit-log';
import {
  because,
  type Cause,
  type EventDraft,
  emptyContext,
  type Id,
  invalidField,
  newEventId,
  ProblemError,
  type TenantId,
} from '@reeve/contracts';
import { instant, pageOf, pageQuery, tenantRoute, whenTaken } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import { newSecret } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { countWhile } from '../chains/read-chain.ts';
import type { Position } from '../feed/read-after.ts';
import { accessKeyIn } from './deliver-s3.ts';
import { SinkError } from './delivery.ts';
import { newRun, type Run, type Sink, takesChain, target, types } from './sink.ts';
import { credentialRef, deliver, formatOf, type SinkParts, sinkEvent, takesCredential } from './sink-runner.ts';

type Parts = SinkParts;

const path = '/v1/tenants/{tenantId}/audit/sinks' as const;

const start = z.union([z.enum(['beginning', 'now']), instant]);
const name = z.string().trim().min(1).max(100);
const credential = z
  .string()
  .min(1)
  .max(2_000)
  .describe(
    'splunk_hec: the token; elasticsearch: the API key; kafka: the password of SASL; s3: <access key id>:<secret access key>; https: a secret of Standard Webhooks (whsec_…), made where it is left out. Never shown again',
  );

const sinkView = z.object({
  id: z.string(),
  name: z.string(),
  target,
  types: types.nullable(),
  createdAt: z.string(),
  status: z.enum(['active', 'paused']),
  health: z.enum(['ok', 'failing']),
  delivered: z.number(),
  refused: z.number().describe('Records that the receiver will never take'),
  behind: z.number().describe('Records of the log that it has not got'),
  lastDeliveredAt: z.string().nullable(),
  lastError: z.object({ code: z.string(), detail: z.string(), at: z.string() }).nullable(),
});

const withCredential = sinkView.extend({
  credential: z.string().nullable().describe('The signing secret that was made, shown once'),
});

async function shown(
  { runs, heads }: Parts,
  tenantId: TenantId,
  { id, state }: Entry<Sink>,
): Promise<z.infer<typeof sinkView>> {
  const run: Run = (await runs.in(tenantId).get(id))?.state ?? newRun({}, new Date(0));
  let behind = 0;
  for await (const head of heads.in(tenantId).all('inOrder', {}))
    if (takesChain(state, head.id)) behind += Math.max(0, head.state.sequence - (run.position[head.id] ?? 0));
  const { status, delivered, refused, lastDeliveredAt, lastError } = run;
  const { name: called, target: to, createdAt } = state;
  return {
    id,
    name: called,
    target: to,
    types: state.types ?? null,
    createdAt,
    status,
    health: lastError ? 'failing' : 'ok',
    delivered,
    refused,
    behind,
    lastDeliveredAt,
    lastError,
  };
}

async function positionAt(
  { records, tombstones, heads }: Parts,
  tenantId: TenantId,
  from: z.infer<typeof start>,
): Promise<Position> {
  if (from === 'beginning') return {};
  const position: Record<string, number> = {};
  for await (const { id: chainId, state } of heads.in(tenantId).all('inOrder', {})) {
    const of = { tenantId, chain: chainId, size: state.sequence };
    const before =
      from === 'now' ? state.sequence : await countWhile({ records, tombstones }, of, loggedAt => loggedAt < from);
    if (before > 0) position[chainId] = before;
  }
  return position;
}

/** What can be known before a connection is made; the connection looks again. */
function assertReachable({ network }: Parts, to: Sink['target']) {
  if (to.kind === 'syslog_tls') network.assertAddress(to);
  else if (to.kind === 'kafka') for (const broker of to.brokers) network.assertAddress(addressOf(broker));
  else network.assertUrl(to.url);
}

function addressOf(broker: string): { host: string; port: number } {
  const end = broker.lastIndexOf(':');
  return { host: broker.slice(0, end), port: Number(broker.slice(end + 1)) };
}

/** What is kept of a credential, and what is shown of it. */
function credentialFor(to: Sink['target'], given: string | undefined): { kept: string | null; made: string | null } {
  if (!takesCredential(to)) {
    if (given !== undefined) throw invalidField('credential', 'this target takes none');
    return { kept: null, made: null };
  }
  if (to.kind !== 'https') {
    if (given === undefined) throw invalidField('credential', 'is required for this kind');
    if (to.kind === 's3' && !accessKeyIn(given))
      throw invalidField('credential', 'must be <access key id>:<secret access key>');
    return { kept: given, made: null };
  }
  if (given !== undefined) {
    const bytes = Buffer.from(given.replace(/^whsec_/, ''), 'base64').length;
    if (!given.startsWith('whsec_') || bytes < 24 || bytes > 64)
      throw invalidField('credential', 'must be whsec_ and 24 to 64 bytes in base64');
    return { kept: given, made: null };
  }
  const made = newSecret('standard', null);
  return { kept: made, made };
}

async function sinkOf({ sinks }: Parts, tenantId: TenantId, params: Record<string, string>): Promise<Entry<Sink>> {
  const entry = await sinks.in(tenantId).get(String(params['sinkId']));
  if (!entry) throw new ProblemError('sink_unknown');
  return entry;
}

export const listSinks = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the sinks that the log is pushed to, with how far each is',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(sinkView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await parts.sinks.in(tenantId).list('inOrder', {}, query);
      return { body: { items: await Promise.all(items.map(entry => shown(parts, tenantId, entry))), nextCursor } };
    },
  });

export const readSink = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path: `${path}/{sinkId}`,
    summary: 'Read one sink, with how far it is',
    action: 'audit:configure',
    response: sinkView,
    async handle({ tenantId, params }) {
      const entry = await sinkOf(parts, tenantId, params);
      return { body: await shown(parts, tenantId, entry), version: entry.version };
    },
  });

export const createSink = (parts: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary:
      'Push the log to a place outside, from the beginning unless `start` says otherwise; of some types alone from now on',
    action: 'audit:configure',
    body: z.strictObject({
      name,
      target,
      types: types.optional(),
      credential: credential.optional(),
      start: start.optional(),
    }),
    status: 201,
    response: withCredential,
    withoutSecrets: body => ({ ...body, credential: null }),
    async handle({ tenantId, body, cause, freshId }) {
      const id: Id<'sink'> = freshId('sink');
      assertReachable(parts, body.target);
      if (body.target.kind === 's3' && body.types) throw invalidField('types', 's3 takes the whole log');
      const { kept, made } = credentialFor(body.target, body.credential);
      const now = parts.clock.now();
      // Whoever wants to be told of alerts does not want those of years.
      const begins = body.start ?? (body.types ? 'now' : 'beginning');
      if (kept !== null) await parts.vault.put(tenantId, credentialRef(id), kept, cause);
      // Before the sink: a run without one is removed when its turn comes, and the credential with it.
      const due = new Date(now.getTime() + 1_000);
      await parts.runs
        .in(tenantId)
        .put(id, { ...newRun(await positionAt(parts, tenantId, begins), now), dueAt: due.toISOString() });
      const only = body.types ? { types: body.types } : {};
      const state: Sink = { name: body.name, target: body.target, ...only, createdAt: now.toISOString() };
      const decision = { state, events: [sinkEvent('sink.created', id, state)] };
      const entry = await parts.sinks.in(tenantId).create(id, decision, cause).catch(whenTaken('sink_name_taken'));
      if (!entry) throw new ProblemError('conflict');
      return { body: { ...(await shown(parts, tenantId, entry)), credential: made }, version: entry.version };
    },
  });

export const updateSink = (parts: Parts) =>
  tenantRoute({
    method: 'patch',
    path: `${path}/{sinkId}`,
    summary: 'Change name, target or credential; its kind and its place in the log stay',
    action: 'audit:configure',
    body: z.strictObject({ name: name.optional(), target: target.optional(), credential: credential.optional() }),
    response: sinkView,
    async handle({ tenantId, params, body, cause, expectedVersion }) {
      const { id, state: current } = await sinkOf(parts, tenantId, params);
      if (body.target && body.target.kind !== current.target.kind)
        throw invalidField('target.kind', 'cannot be changed: create another sink');
      if (body.target) assertReachable(parts, body.target);
      if (body.credential !== undefined) {
        const { kept } = credentialFor(body.target ?? current.target, body.credential);
        if (kept !== null) await parts.vault.put(tenantId, credentialRef(id), kept, cause);
      }
      const decide = (sink: Sink | null) => {
        if (!sink) return null;
        const state: Sink = { ...sink, name: body.name ?? sink.name, target: body.target ?? sink.target };
        return { state, events: [sinkEvent('sink.updated', id, state)] };
      };
      const saved = parts.sinks.in(tenantId).change(id, decide, { cause, expectedVersion });
      const entry = await saved.catch(whenTaken('sink_name_taken'));
      if (!entry) throw new ProblemError('sink_unknown');
      // What was mended is tried at once.
      const soon = (run: Run | null) =>
        run && { state: { ...run, attempts: 0, lease: null, dueAt: parts.clock.now().toISOString() }, events: [] };
      await parts.runs.in(tenantId).change(id, soon, { cause });
      return { body: await shown(parts, tenantId, entry), version: entry.version };
    },
  });

export const deleteSink = (parts: Parts) =>
  tenantRoute({
    method: 'delete',
    path: `${path}/{sinkId}`,
    summary: 'Remove a sink and its credential',
    action: 'audit:configure',
    status: 204,
    response: z.null(),
    async handle({ tenantId, params, cause, expectedVersion }) {
      const { id } = await sinkOf(parts, tenantId, params);
      const deletedAt = parts.clock.now().toISOString();
      const decide = (sink: Sink | null) =>
        sink && { state: { ...sink, deletedAt }, events: [sinkEvent('sink.deleted', id, sink)] };
      await parts.sinks.in(tenantId).change(id, decide, { cause, expectedVersion });
      await parts.vault.destroy(tenantId, credentialRef(id), cause);
      return { body: null };
    },
  });

function switchSink(parts: Parts, verb: 'pause' | 'resume') {
  const status = verb === 'pause' ? 'paused' : 'active';
  return tenantRoute({
    method: 'post',
    path: `${path}/{sinkId}:${verb}`,
    summary: verb === 'pause' ? 'Stop delivering; the place in the log is kept' : 'Deliver on from where it was paused',
    action: 'audit:configure',
    response: sinkView,
    async handle({ tenantId, params, cause }) {
      const entry = await sinkOf(parts, tenantId, params);
      const event = sinkEvent(verb === 'pause' ? 'sink.paused' : 'sink.resumed', entry.id, entry.state);
      const decide = (run: Run | null) =>
        run && run.status !== status
          ? {
              state: { ...run, status, lease: null, attempts: 0, dueAt: parts.clock.now().toISOString() } as const,
              events: [event],
            }
          : null;
      await parts.runs.in(tenantId).change(entry.id, decide, { cause });
      return { body: await shown(parts, tenantId, entry) };
    },
  });
}

export const pauseSink = (parts: Parts) => switchSink(parts, 'pause');
export const resumeSink = (parts: Parts) => switchSink(parts, 'resume');

export const replaySink = (parts: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${path}/{sinkId}:replay`,
    summary: 'Deliver again from a time of chaining, or from the beginning, up to now and on',
    action: 'audit:configure',
    body: z.strictObject({ from: start.default('beginning') }),
    response: sinkView,
    async handle({ tenantId, params, body: { from }, cause }) {
      const entry = await sinkOf(parts, tenantId, params);
      const position = await positionAt(parts, tenantId, from);
      const event: EventDraft<'sink.replayed'> = {
        type: 'sink.replayed',
        target: { type: 'sink', id: entry.id, name: entry.state.name },
        outcome: 'success',
        reason: because('requested'),
        details: { kind: entry.state.target.kind, from },
      };
      const decide = (run: Run | null) =>
        run && {
          state: { ...run, position, checkpoint: 0, lease: null, attempts: 0, dueAt: parts.clock.now().toISOString() },
          events: [event],
        };
      await parts.runs.in(tenantId).change(entry.id, decide, { cause });
      return { body: await shown(parts, tenantId, entry) };
    },
  });

export const testSink = (parts: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${path}/{sinkId}:test`,
    summary: 'Send one record that is marked as a test, and say what the receiver made of it',
    action: 'audit:configure',
    response: z.object({
      delivered: z.boolean(),
      code: z.string().nullable().describe('Why not: see docs/sinks.md'),
      detail: z.string().nullable(),
      tookMs: z.number(),
    }),
    async handle({ tenantId, params, cause }) {
      const { id, state: sink } = await sinkOf(parts, tenantId, params);
      const began = performance.now();
      const answer = (code: string | null, detail: string | null) => ({
        body: { delivered: code === null, code, detail, tookMs: Math.round(performance.now() - began) },
      });
      const access = { cause, purpose: 'test the sink' };
      const secret = !takesCredential(sink.target)
        ? null
        : (await parts.vault.read(tenantId, credentialRef(id), access)).toString('utf8');
      const record = testRecord(tenantId, cause, parts.clock.now());
      const text = formats[formatOf(sink.target)].writeRecord(record, parts.signingKey().kid);
      const line = { id: record.record.eventId, text };
      try {
        const { refused } = await deliver(
          parts.network,
          { target: sink.target, credential: secret },
          { id: `msg_${line.id}`, tenantId, lines: [line] },
        );
        return refused[0] ? answer('record_refused', refused[0].reason) : answer(null, null);
      } catch (error) {
        if (error instanceof SinkError) return answer(error.code, error.message);
        throw error;
      }
    },
  });

function testRecord(tenantId: TenantId, { actor }: Cause, now: Date): ChainedRecord {
  return chain(null, {
    tenantId,
    chain: testChain,
    eventId: newEventId(),
    type: 'sink.tested',
    source: '/reeve/audit',
    subject: 'sink/test',
    time: now.toISOString(),
    correlationId: newEventId(),
    causationId: null,
    traceId: null,
    actor,
    target: { type: 'sink', id: null, name: 'a test; nothing happened' },
    outcome: 'success',
    reason: because('test'),
    context: emptyContext,
    details: {},
  });
}
