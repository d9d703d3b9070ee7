// The stream of the application that calls. That of another one is not there, whatever its id.
import { type Id, ProblemError, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import type { Stream, StreamId, Streams } from './stream.ts';

type Of = { tenantId: TenantId; caller: Caller };

/** Null where it has none. */
export async function findOwnStream(
  streams: Streams,
  { tenantId, caller }: Of,
): Promise<(Entry<Stream> & { id: StreamId }) | null> {
  const entry = await streams.in(tenantId).getByUnique('client', caller.clientId);
  return entry && { ...entry, id: entry.id as StreamId };
}

/** Throws `not_found`. */
export async function ownStream(
  streams: Streams,
  of: Of & { streamId: string },
): Promise<Entry<Stream> & { id: StreamId }> {
  const entry = await findOwnStream(streams, of);
  if (entry?.id !== of.streamId) throw new ProblemError('not_found');
  return entry;
}

/** A stream belongs to an application, and so nobody else has one. Throws `access_denied`. */
export function applicationOf(caller: Caller): Id<'client'> {
  if (caller.type !== 'client') throw new ProblemError('access_denied', 'a stream belongs to an application');
  return caller.clientId as Id<'client'>;
}
