// What is learnt of tenants from events, over a real store.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { createTenantDirectory, knownTenants } from './tenant-directory.ts';

let store: Store;

beforeAll(async () => {
  const database = `tenants_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents: { collections: [knownTenants] } });
  await store.prepare();
});
afterAll(() => store.close());

type Learn = NonNullable<Handlers['tenant.created']>;
const learn = (tenantId: TenantId, slug: string, status = 'active') =>
  (createTenantDirectory(store).handlers['tenant.created'] as Learn)({
    tenantId,
    data: { details: { slug, status } },
  } as Parameters<Learn>[0]);
const named = (slug: string) => createTenantDirectory(store).findNow(slug);

test('a name that is given once more, after a restore, is that of the newer tenant, whichever is heard of last', async () => {
  const older = newId('tenant');
  await new Promise(resolve => setTimeout(resolve, 5));
  const newer = newId('tenant');
  await learn(older, 'acme');
  expect(await named('acme')).toMatchObject({ id: older });
  await learn(newer, 'acme');
  expect(await named('acme')).toMatchObject({ id: newer });
  // The topic is read again.
  await learn(older, 'acme', 'suspended');
  expect(await named('acme')).toMatchObject({ id: newer, status: 'active' });
  expect(await named(older)).toMatchObject({ id: older, status: 'suspended' });
  await learn(newer, 'acme', 'suspended');
  expect(await named('acme')).toMatchObject({ id: newer, status: 'suspended' });
});
