// Identifiers: prefixed UUIDv7, so that a reader sees the kind and a store sees the order of creation.
import { randomFillSync } from 'node:crypto';
import { v5, v7 } from 'uuid';
import { z } from 'zod';

export const idPrefixes = {
  tenant: 'ten',
  user: 'usr',
  identity: 'idn',
  group: 'grp',
  directory: 'dir',
  session: 'ses',
  connection: 'con',
  domain: 'dom',
  setupLink: 'sul',
  client: 'cli',
  resourceServer: 'rsv',
  signalStream: 'sst',
  bot: 'bot',
  connector: 'cnr',
  installation: 'ins',
  consent: 'cns',
  grant: 'gra',
  assistantPolicy: 'asp',
  vouchingPolicy: 'vop',
  endpoint: 'whe',
  delivery: 'dlv',
  secret: 'sec',
  factor: 'mfa',
  request: 'req',
  view: 'viw',
  viewer: 'avt',
  sink: 'snk',
  hold: 'hld',
  alert: 'alr',
  evidence: 'evp',
  deletion: 'dlr',
} as const;

export type IdKind = keyof typeof idPrefixes;
export type Id<K extends IdKind> = `${(typeof idPrefixes)[K]}_${string}`;
export type TenantId = Id<'tenant'>;

const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const patterns = Object.fromEntries(
  Object.entries(idPrefixes).map(([kind, prefix]) => [kind, new RegExp(`^${prefix}_${uuid}$`)]),
) as Record<IdKind, RegExp>;

/** Fetched for many ids at once: the system call costs more than all the rest of an id. */
const pool = new Uint8Array(16 * 256);
let used = pool.length;
const last = { msecs: 0, seq: 0 };

/** In the order of creation within this process, also within one millisecond (RFC 9562 §6.2, method 1). */
function uuid7(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 16);
  used += 16;
  const now = Date.now();
  // Seeded below 2^31, so that a millisecond has room for as many again.
  if (now > last.msecs)
    Object.assign(last, { msecs: now, seq: new DataView(pool.buffer, used - 16, 4).getUint32(0) >>> 1 });
  else last.seq += 1;
  return v7({ random, ...last });
}

export function newId<K extends IdKind>(kind: K): Id<K> {
  return `${idPrefixes[kind]}_${uuid7()}`;
}

const namespace = '5f1c1f0e-7a52-4f0c-9c5e-2d6a4b8f3e11';

/** One that follows from another name of the same thing, and from which that name does not follow. */
export function idFrom<K extends IdKind>(kind: K, name: string): Id<K> {
  return `${idPrefixes[kind]}_${v5(`${kind} ${name}`, namespace)}`;
}

/** An event's id: a bare UUIDv7, stamped when the thing happened, kept by every redelivery. */
export function newEventId(): string {
  return uuid7();
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
