// Status, subjects and verification of a stream, by its receiver (SSF 1.0 §8.1.2 to §8.1.4).
import { isId, newEventId, ProblemError } from '@reeve/contracts';
import { changeExisting, ownTenantRoute, type Route } from '@reeve/service-kit';
import type { Clock, Decision } from '@reeve/store';
import { z } from 'zod';
import { ownStream } from './own-stream.ts';
import type { Queue } from './queue-signals.ts';
import type { Signals } from './signal.ts';
import { verified } from './signal-events.ts';
import { isPush, minVerificationSeconds, mostWithout, type Stream, type Streams, statuses, update } from './stream.ts';

type Parts = { streams: Streams; signals: Signals; queue: Queue; issuer: string; clock: Clock };

const streamId = z.string().max(100);
const status = z.object({ stream_id: z.string(), status: z.enum(statuses), reason: z.string().optional() });
/** Ours alone are known here; any other subject is nobody of whom the stream would tell. */
const subject = z.looseObject({ format: z.string().max(50) });
const write = { method: 'post', action: 'signal-streams:write' } as const;

const statusOf = ({ id, state }: { id: string; state: Stream }) => ({
  stream_id: id,
  status: state.status,
  ...(state.reason === null ? {} : { reason: state.reason }),
});

export function controlStream({ streams, signals, queue, issuer, clock }: Parts): Route[] {
  const personIn = ({ format, iss, sub }: z.infer<typeof subject>): string | null =>
    format === 'iss_sub' && iss === issuer && isId('user', sub) ? sub : null;

  const subjectRoute = (verb: 'add' | 'remove', summary: string) =>
    ownTenantRoute({
      ...write,
      path: `/ssf/subjects/${verb}` as '/ssf/subjects/add',
      summary,
      body: z.strictObject({ stream_id: streamId, subject, verified: z.boolean().exactOptional() }),
      status: verb === 'add' ? 200 : 204,
      async handle({ tenantId, caller, body, cause }) {
        const { id } = await ownStream(streams, { tenantId, caller, streamId: body.stream_id });
        const person = personIn(body.subject);
        const decide = (stream: Stream): Decision<Stream> => {
          if (person === null || stream.without.includes(person) === (verb === 'remove')) return null;
          if (verb === 'remove' && stream.without.length >= mostWithout)
            throw new ProblemError('rate_limited', `at most ${mostWithout} people can be left out`);
          const others = stream.without.filter(one => one !== person);
          return { state: { ...stream, without: verb === 'remove' ? [...others, person] : others }, events: [] };
        };
        await changeExisting(streams.in(tenantId), id, decide, { cause });
        return { body: undefined };
      },
    });

  return [
    ownTenantRoute({
      method: 'get',
      path: '/ssf/status',
      summary: 'Whether a stream delivers',
      action: 'signal-streams:read',
      query: z.strictObject({ stream_id: streamId }),
      response: status,
      async handle({ tenantId, caller, query }) {
        return { body: statusOf(await ownStream(streams, { tenantId, caller, streamId: query.stream_id })) };
      },
    }),
    ownTenantRoute({
      ...write,
      path: '/ssf/status',
      summary: 'Have a stream deliver (`enabled`), keep what comes (`paused`), or forget it (`disabled`)',
      body: z.strictObject({
        stream_id: streamId,
        status: z.enum(statuses),
        reason: z.string().max(500).exactOptional(),
      }),
      response: status,
      async handle({ tenantId, caller, body, cause }) {
        const { id } = await ownStream(streams, { tenantId, caller, streamId: body.stream_id });
        const change = { status: body.status, reason: body.reason ?? null };
        const at = clock.now();
        const decide = (stream: Stream) => update(id, stream, { change, at });
        const entry = await changeExisting(streams.in(tenantId), id, decide, { cause });
        if (body.status === 'disabled') await forgetWaiting(signals.in(tenantId), id);
        return { body: statusOf(entry) };
      },
    }),
    subjectRoute('add', 'Be told of a person again'),
    subjectRoute('remove', 'Be told of a person no more; all are told of unless they are removed'),
    ownTenantRoute({
      ...write,
      path: '/ssf/verification',
      summary: 'Have the stream say something, to see that it does',
      body: z.strictObject({ stream_id: streamId, state: z.string().max(1_000).exactOptional() }),
      status: 204,
      async handle({ tenantId, caller, body, cause }) {
        const entry = await ownStream(streams, { tenantId, caller, streamId: body.stream_id });
        if (entry.state.status !== 'enabled') return { body: undefined };
        const now = clock.now();
        await changeExisting(
          streams.in(tenantId),
          entry.id,
          stream => {
            const sinceMs = now.getTime() - Date.parse(stream.verifiedAt ?? '1970-01-01');
            const retryAfterSeconds = Math.ceil(minVerificationSeconds - sinceMs / 1_000);
            if (retryAfterSeconds > 0) throw new ProblemError('rate_limited', undefined, { retryAfterSeconds });
            return { state: { ...stream, verifiedAt: now.toISOString() }, events: [] };
          },
          { cause },
        );
        const { correlationId } = cause;
        const told = { id: newEventId(), tenantId, correlationId, time: now.toISOString() };
        await queue(told, entry.id, { said: verified(entry.id, body.state), isPushed: isPush(entry.state) });
        return { body: undefined };
      },
    }),
  ];
}

async function forgetWaiting(own: ReturnType<Signals['in']>, streamId: string): Promise<void> {
  for (;;) {
    const { items } = await own.list('byStream', { streamId }, { limit: 200 });
    if (items.length === 0) return;
    await own.removeAll(items.map(({ id }) => id));
  }
}
