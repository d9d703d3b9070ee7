// The configuration of a stream, by its receiver (SSF 1.0 §8.1.1).
import { type Cause, invalidField, ProblemError, type TenantId } from '@reeve/contracts';
import { changeExisting, createOnce, ownTenantRoute, type Route } from '@reeve/service-kit';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { applicationOf, findOwnStream, ownStream } from './own-stream.ts';
import {
  close,
  type GivenDelivery,
  open,
  pollMethod,
  pushMethod,
  type Stream,
  type StreamId,
  type Streams,
  type StreamView,
  streamSettings,
  streamView,
  supplied,
  update,
  viewOf,
} from './stream.ts';
import type { StreamSecrets } from './stream-secrets.ts';

export type ConfigureParts = {
  streams: Streams;
  secrets: StreamSecrets;
  network: Pick<GuardedNetwork, 'assertUrl'>;
  issuer: string;
  clock: Clock;
};

const path = '/ssf/streams';
const { shape } = streamSettings;
const streamId = z.string().max(100);
const created = z.strictObject({
  delivery: shape.delivery.default({ method: pollMethod }),
  events_requested: shape.events_requested.exactOptional(),
  description: shape.description.default(null),
});
const changed = streamSettings.partial().extend({ stream_id: streamId, ...supplied });
const replaced = created.extend({ stream_id: streamId, ...supplied });
const common = { path, action: 'signal-streams:write', response: streamView } as const;

export function configureStream(parts: ConfigureParts): Route[] {
  const { streams, issuer, clock } = parts;
  const view = (entry: { id: string; state: Stream }) => viewOf(entry, issuer);

  async function change(
    { tenantId, id, cause }: { tenantId: TenantId; id: StreamId; cause: Cause },
    change: Partial<Stream>,
  ): Promise<StreamView> {
    const at = clock.now();
    return view(await changeExisting(streams.in(tenantId), id, was => update(id, was, { change, at }), { cause }));
  }

  return [
    ownTenantRoute({
      ...common,
      method: 'post',
      summary: 'Create the stream of an application (Shared Signals Framework 1.0); it has one',
      body: created,
      status: 201,
      async handle({ tenantId, caller, body, cause, freshId }) {
        const clientId = applicationOf(caller);
        const id = freshId('signalStream');
        const delivery = await deliveryOf(parts, { tenantId, streamId: id, cause }, body.delivery);
        const eventsRequested = body.events_requested ?? null;
        const settings = { clientId, delivery, eventsRequested, description: body.description };
        const { entry } = await createOnce(streams.in(tenantId), id, open(id, settings, clock.now()), {
          cause,
          taken: { client: 'signal_stream_exists' },
        }).catch(async (error: unknown) => {
          if (error instanceof ProblemError) await parts.secrets.destroy({ tenantId, streamId: id, cause });
          throw error;
        });
        return { body: view(entry) };
      },
    }),
    ownTenantRoute({
      method: 'get',
      path,
      summary: 'Read the stream of an application; without `stream_id` as a list',
      action: 'signal-streams:read',
      query: z.strictObject({ stream_id: streamId.exactOptional() }),
      response: z.union([streamView, z.array(streamView)]),
      async handle({ tenantId, caller, query: { stream_id: id } }) {
        if (id !== undefined) return { body: view(await ownStream(streams, { tenantId, caller, streamId: id })) };
        const entry = await findOwnStream(streams, { tenantId, caller });
        return { body: entry ? [view(entry)] : [] };
      },
    }),
    ownTenantRoute({
      ...common,
      method: 'patch',
      summary: 'Change what is named of a stream',
      body: changed,
      async handle({ tenantId, caller, body, cause }) {
        const { stream_id: given, delivery, events_requested: requested, description, ...rest } = body;
        const entry = await ownStream(streams, { tenantId, caller, streamId: given });
        assertSupplied(rest, view(entry));
        const of = { tenantId, streamId: entry.id, cause };
        return {
          body: await change(
            { tenantId, id: entry.id, cause },
            {
              ...(delivery ? { delivery: await deliveryOf(parts, of, delivery, entry.state) } : {}),
              ...(requested ? { eventsRequested: requested } : {}),
              ...(description === undefined ? {} : { description }),
            },
          ),
        };
      },
    }),
    ownTenantRoute({
      ...common,
      method: 'put',
      summary: 'Replace the configuration of a stream',
      body: replaced,
      async handle({ tenantId, caller, body, cause }) {
        const { stream_id: given, delivery, events_requested: requested = null, description, ...rest } = body;
        const entry = await ownStream(streams, { tenantId, caller, streamId: given });
        assertSupplied(rest, view(entry));
        const of = { tenantId, streamId: entry.id, cause };
        const next = await deliveryOf(parts, of, delivery, entry.state);
        const replacement = { delivery: next, eventsRequested: requested, description };
        return { body: await change({ tenantId, id: entry.id, cause }, replacement) };
      },
    }),
    ownTenantRoute({
      method: 'delete',
      path,
      summary: 'Delete a stream, with what waits to be delivered by it',
      action: 'signal-streams:write',
      query: z.strictObject({ stream_id: streamId }),
      status: 204,
      async handle({ tenantId, caller, query, cause }) {
        const { id } = await ownStream(streams, { tenantId, caller, streamId: query.stream_id });
        const gone = { because: 'requested', at: clock.now() } as const;
        await changeExisting(streams.in(tenantId), id, stream => close(id, stream, gone), { cause });
        return { body: undefined };
      },
    }),
  ];
}

/** What we say of a stream is said back as it was, or not at all. */
function assertSupplied(given: Partial<Record<keyof typeof supplied, unknown>>, view: StreamView): void {
  for (const name of Object.keys(supplied) as (keyof typeof supplied)[])
    if (given[name] !== undefined && JSON.stringify(given[name]) !== JSON.stringify(view[name]))
      throw invalidField(name, 'is for us to say');
}

type Of = { tenantId: TenantId; streamId: string; cause: Cause };

/** Keeps the header in the vault. One that is not sent again stays, as long as it goes to the same address. */
async function deliveryOf(
  { network, secrets }: ConfigureParts,
  of: Of,
  given: GivenDelivery,
  before?: Stream,
): Promise<Stream['delivery']> {
  if (given.method === pollMethod) return { method: pollMethod };
  const { endpoint_url: endpointUrl, authorization_header: header } = given;
  try {
    network.assertUrl(endpointUrl);
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    throw invalidField('delivery.endpoint_url', 'must be a public https URL');
  }
  if (header !== undefined) await secrets.put(of, { header, endpointUrl });
  const former = before?.delivery;
  const isSame = former?.method === pushMethod && former.endpointUrl === endpointUrl && former.hasHeader;
  return { method: pushMethod, endpointUrl, hasHeader: header !== undefined || isSame };
}
