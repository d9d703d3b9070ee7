// Which key-encryption keys the data keys of a service are under, and wrapping them anew under the one that wraps now:
// for all tenants, portion by portion, beside instances that use them. The data keys stay what they are, so nothing
// that is sealed or in memory changes. `reeve vault` asks for it.
import { randomBytes } from 'node:crypto';
import { type Cause, idSchema, ProblemError, type TenantId } from '@reeve/contracts';
import { platformRoute, type Route } from '@reeve/service-kit';
import type { Store, TenantEntry } from '@reeve/store';
import { z } from 'zod';
import {
  bindingOf,
  type DataKey,
  dataKeys,
  isThere,
  rewrapped,
  type StoredDataKey,
  unwrapDataKey,
  wrapDataKey,
} from './data-key.ts';
import { type KeyManagement, keyKinds } from './key-management.ts';
import { keyBytes } from './sealing.ts';

type Parts = { store: Store; keys: KeyManagement };

const atOnce = 8;

const place = z.strictObject({ tenantId: idSchema('tenant'), secretClass: z.string().min(1).max(200) });
const keyName = z.object({ kind: z.enum(keyKinds), keyId: z.string() });
const portion = {
  after: place.optional().describe('Where the portion before ended'),
  limit: z.number().int().min(1).max(1_000).default(200),
};
const next = place.nullable().describe('Null where that was all');

type Place = { tenantId: TenantId; secretClass: string };
type Found = TenantEntry<DataKey>;

const isOfUse = (entry: TenantEntry<StoredDataKey>): entry is Found => isThere(entry.state);

export function createRewrapping({ store, keys }: Parts) {
  const collection = store.collection(dataKeys);
  const ofAll = collection.acrossTenants('the data keys of all tenants are under the same key-encryption keys');

  async function read({ after, limit }: { after?: Place | undefined; limit: number }) {
    const found: TenantEntry<StoredDataKey>[] = [];
    const from = after && { tenantId: after.tenantId, id: after.secretClass };
    for await (const one of ofAll.all({ after: from })) {
      found.push(one);
      if (found.length === limit) break;
    }
    const last = found.length === limit ? found.at(-1) : undefined;
    return { found: found.filter(isOfUse), next: last ? { tenantId: last.tenantId, secretClass: last.id } : null };
  }

  /** By wrapping a key that nobody uses: whoever may wrap need not be allowed to ask which version is the newest. */
  async function newest() {
    const { kind, keyId } = await keys.wrap(randomBytes(keyBytes), 'which key wraps');
    return { kind, keyId };
  }

  /** Wraps and opens a key that nobody uses. Rejects as these do. */
  async function assertAnswers(): Promise<void> {
    const about = 'does it answer';
    await keys.unwrap(await keys.wrap(randomBytes(keyBytes), about), about);
  }

  async function rewrap({ tenantId, id, state }: Found, cause: Cause): Promise<boolean> {
    const binding = bindingOf(tenantId, id);
    const key = await unwrapDataKey(keys, state, binding);
    const fresh = await wrapDataKey(keys, key, binding);
    const saved = await collection.in(tenantId).change(id, rewrapped(id, { read: state, fresh }), { cause });
    return saved !== null && isThere(saved.state) && saved.state.wrapped === fresh.wrapped;
  }

  return {
    /** How many data keys of a portion are under which key. Rejects as `KeyManagement.wrap` does. */
    async count(asked: { after?: Place | undefined; limit: number }) {
      const { found, next: rest } = await read(asked);
      const counts = new Map<string, { kind: DataKey['kind']; keyId: string; dataKeys: number }>();
      for (const { kind, keyId } of found.map(({ state }) => state)) {
        const counted = counts.get(`${kind} ${keyId}`)?.dataKeys ?? 0;
        counts.set(`${kind} ${keyId}`, { kind, keyId, dataKeys: counted + 1 });
      }
      return { newest: await newest(), items: [...counts.values()], next: rest };
    },

    /**
     * Wraps those of a portion anew that are not under the newest key; with `everything` also those that are, since the
     * versions of a key of AWS KMS have no names. One that does not open is named and left as it is; rejects while the
     * key service is away or refuses us.
     */
    async rewrap({
      everything,
      cause,
      ...asked
    }: {
      everything: boolean;
      cause: Cause;
      after?: Place | undefined;
      limit: number;
    }) {
      const now = await newest();
      const { found, next: rest } = await read(asked);
      const wanted = found.filter(({ state }) => everything || state.kind !== now.kind || state.keyId !== now.keyId);
      const failed: (Place & { code: string })[] = [];
      let count = 0;
      for (let first = 0; first < wanted.length; first += atOnce) {
        const some = wanted.slice(first, first + atOnce);
        const settled = await Promise.allSettled(some.map(one => rewrap(one, cause)));
        for (const [index, one] of settled.entries()) {
          const entry = some[index];
          if (one.status === 'fulfilled') count += one.value ? 1 : 0;
          else if (entry) {
            // A row that was changed looks as if the service answered nonsense: does it, for others as well?
            if (isUnavailable(one.reason)) await assertAnswers();
            failed.push({ tenantId: entry.tenantId, secretClass: entry.id, code: codeOf(one.reason) });
          }
        }
      }
      return { looked: found.length, rewrapped: count, failed, next: rest };
    },
  };
}

const isUnavailable = (error: unknown) => error instanceof ProblemError && error.code === 'key_service_unavailable';

/** Of what is for one data key alone. Throws what would be the same for the next. */
function codeOf(error: unknown): string {
  if (!(error instanceof ProblemError)) return 'does_not_open';
  if (error.code === 'key_unusable') return error.code;
  if (isUnavailable(error)) return 'does_not_open';
  throw error;
}

/** What `reeve vault` asks a service with a vault. */
export function dataKeyRoutes(parts: Parts): Route[] {
  const rewrapping = createRewrapping(parts);
  return [
    platformRoute({
      method: 'post',
      path: '/v1/vault/data-keys:count',
      summary:
        'Count the data keys of all tenants by the key that wraps them, a portion at a time; `reeve vault status` does',
      action: 'vault-keys:read',
      body: z.strictObject(portion),
      response: z.object({
        newest: keyName.describe('What wraps now'),
        items: z.array(keyName.extend({ dataKeys: z.number() })),
        next,
      }),
      handle: async ({ body }) => ({ body: await rewrapping.count(body) }),
    }),
    platformRoute({
      method: 'post',
      path: '/v1/vault/data-keys:rewrap',
      summary:
        'Wrap a portion of the data keys of all tenants anew by the key that wraps now; call with `after` = `next` ' +
        'until that is null. `reeve vault rewrap` does',
      action: 'vault-keys:write',
      body: z.strictObject({
        ...portion,
        everything: z.boolean().default(false).describe('Also those that are under that key already'),
      }),
      response: z.object({
        looked: z.number(),
        rewrapped: z.number(),
        failed: z.array(z.object({ tenantId: z.string(), secretClass: z.string(), code: z.string() })),
        next,
      }),
      handle: async ({ body, cause }) => ({ body: await rewrapping.rewrap({ ...body, cause }) }),
    }),
  ];
}
