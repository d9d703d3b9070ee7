// A place outside that a tenant's log is pushed to, as somebody configured it, and what it shows to its receiver. How
// far the delivery is lies in a document of its own (run.ts), which changes with every batch.
import {
  type Cause,
  type EventType,
  event,
  eventTypes,
  type Id,
  invalidField,
  type ReasonOf,
  type SecretPurpose,
  type TenantId,
  topicOf,
} from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';
import { kindOf, type Target, whatCredentialsAre } from './kinds/registry.ts';

export const types = z
  .array(z.enum(Object.keys(eventTypes) as [EventType, ...EventType[]]))
  .min(1)
  .max(100)
  .describe(
    'Only records of these types, as ["alert.raised"] for a place that notifies; the whole log where it is left out',
  );

export type Sink = {
  name: string;
  target: Target;
  /** Null for the whole log. */
  types: EventType[] | null;
  /** Which of the tenant's, from 1 on; a slot holds one. Null for a sink from before there were any. */
  slot: number | null;
  createdAt: string;
  deletedAt?: string;
};
export type Sinks = Collections<Sink>;

export const sinksPath = '/v1/tenants/{tenantId}/audit/sinks' as const;
export const sinkName = z.string().trim().min(1).max(100);
export const sinkRefusals = { taken: { name: 'sink_name_taken' } } as const;
export const mostSinks = 20;

export const sinks = collection<Sink>({
  name: 'audit_sinks',
  version: 3,
  // Version 1 left `types` out for the whole log, and version 2 had no slots.
  upgrade: state => ({ types: null, slot: null, ...(state as Omit<Sink, 'types' | 'slot'>) }),
  unique: {
    name: ({ name }) => name.toLowerCase(),
    slot: ({ slot }) => (slot === null ? null : String(slot)),
  },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => (deletedAt === undefined ? null : new Date(deletedAt)),
});

/** The slots that are free beside these sinks: one without a slot stands for the last of them. */
export function freeSlots(held: readonly Pick<Sink, 'slot'>[]): number[] {
  const taken = new Set(held.map(({ slot }) => slot));
  const withoutSlot = held.filter(({ slot }) => slot === null).length;
  const slots = Array.from({ length: Math.max(0, mostSinks - withoutSlot) }, (_, at) => at + 1);
  return slots.filter(slot => !taken.has(slot));
}

/** Whether a chain may hold what the sink takes. */
export const takesChain = ({ types: only }: Sink, chain: string): boolean =>
  !only || only.some(type => chain.startsWith(`${topicOf(type)}/`));

/**
 * Whether the sink takes a record. One that takes only some gets no statements either: it cannot show that nothing is
 * missing.
 */
export const takesType = ({ types: only }: Sink, type: string): boolean => !only || only.some(one => one === type);

type SinkId = Id<'sink'>;

const about = (id: SinkId, { name, target }: Sink) =>
  ({ id, name, because: 'requested', details: { kind: target.kind } }) as const;

export const create = (id: SinkId, state: Sink): NonNullable<Decision<Sink>> => ({
  state,
  events: [event('sink.created', about(id, state))],
});

export type Change = { name?: string | undefined; target?: Target | undefined };

export function update(id: SinkId, sink: Sink, { name = sink.name, target = sink.target }: Change): Decision<Sink> {
  if (target.kind !== sink.target.kind) throw invalidField('target.kind', 'cannot be changed: create another sink');
  const state: Sink = { ...sink, name, target };
  return { state, events: [event('sink.updated', about(id, state))] };
}

export const remove = (id: SinkId, sink: Sink, at: Date): Decision<Sink> => ({
  state: { ...sink, deletedAt: at.toISOString() },
  events: [event('sink.deleted', about(id, sink))],
});

export const paused = (id: SinkId, sink: Sink) => event('sink.paused', about(id, sink));

export const resumed = (id: SinkId, sink: Sink) => event('sink.resumed', about(id, sink));

export function replayed(id: SinkId, sink: Sink, from: string) {
  const { details, ...rest } = about(id, sink);
  return event('sink.replayed', { ...rest, details: { ...details, from } });
}

export const failed = (
  id: SinkId,
  { name, target }: Sink,
  { code, refused }: { code: ReasonOf<'sink.failed'>; refused: string[] },
) => event('sink.failed', { id, name, because: code, details: { kind: target.kind, code, refused } });

/** It lies in the vault, and is shown to nobody else but once, where we made it. */
export const credential = z.string().min(1).max(2_000).describe(`${whatCredentialsAre}. Never shown again`);

export const credentialRef = (sinkId: string) => ({ secretClass: 'sink', id: sinkId });

export const takesCredential = (to: Target): boolean => kindOf(to).credential(to).is !== 'none';

/** What is kept of a credential, and what is shown of it. */
export function credentialFor(to: Target, given: string | undefined): { kept: string | null; made: string | null } {
  const rule = kindOf(to).credential(to);
  if (rule.is === 'none') {
    if (given !== undefined) throw invalidField('credential', 'this target takes none');
    return { kept: null, made: null };
  }
  if (given === undefined) {
    if (rule.is === 'given') throw invalidField('credential', 'is required for this target');
    const made = rule.make();
    return { kept: made, made };
  }
  const wanted = rule.check?.(given) ?? null;
  if (wanted !== null) throw invalidField('credential', `must be ${wanted}`);
  return { kept: given, made: null };
}

/** Null where the target takes none. */
export async function readCredential(
  vault: Vault,
  { tenantId, sinkId, target }: { tenantId: TenantId; sinkId: string; target: Target },
  access: { cause: Cause; purpose: SecretPurpose },
): Promise<string | null> {
  if (!takesCredential(target)) return null;
  return (await vault.read(tenantId, credentialRef(sinkId), access)).toString('utf8');
}
