// Identifiers: prefixed UUIDv7, so that a reader sees the kind and a store sees the order of creation.
import { v7 } from 'uuid';
import { z } from 'zod';

export const idPrefixes = {
  tenant: 'ten',
  user: 'usr',
  identity: 'idn',
  directory: 'dir',
  session: 'ses',
  connection: 'con',
  client: 'cli',
  connector: 'cnr',
  installation: 'ins',
  consent: 'cns',
  grant: 'gra',
  endpoint: 'whe',
  delivery: 'dlv',
  secret: 'sec',
  request: 'req',
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<K extends IdKind> = `${(typeof idPrefixes)[K]}_${string}`;
export type TenantId = Id<'tenant'>;

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const patterns = Object.fromEntries(
  Object.entries(idPrefixes).map(([kind, prefix]) => [kind, new RegExp(`^${prefix}_${uuid}$`)]),
) as Record<IdKind, RegExp>;

export function newId<K extends IdKind>(kind: K): Id<K> {
  return `${idPrefixes[kind]}_${v7()}`;
}

/** An event's id: a bare UUIDv7, stamped when the thing happened, kept by every redelivery. */
export function newEventId(): string {
  return v7();
}

export function isId<K extends IdKind>(kind: K, value: unknown): value is Id<K> {
  return typeof value === 'string' && patterns[kind].test(value);
}

export function idSchema<K extends IdKind>(kind: K) {
  return z
    .string()
    .regex(patterns[kind], `must be an id of the form ${idPrefixes[kind]}_<uuid>`)
    .transform(value => value as Id<K>);
}

/**
 * The tenant under which the platform's own happenings are recorded: a rotated signing key, a stranger whose
 * tenant was never known. No person signs in to it.
 */
export const platformTenantId: TenantId = 'ten_00000000-0000-7000-8000-000000000000';
