/* oxlint-disable typescript/no-unsafe-call, typescript/no-unsafe-return -- the marked lines must not type-check */
// It must be impossible to forget the tenant. The type-level half: this file does not compile when any of the marked
// lines would.
import { expect, test } from '@jest/globals';
import type { TenantId } from '@reeve/contracts';
import { collection } from './definition.ts';
import { openStore } from './store.ts';

test('a collection gives nothing without a tenant, neither to the compiler nor at run time', async () => {
  const definition = collection<{ name: string }>({ name: 'things' });
  const contents = { collections: [definition] };
  const store = openStore({ uri: 'mongodb://127.0.0.1:1', database: 'never', source: '/test', contents });
  const things = store.collection(definition);
  // @ts-expect-error there is no method that takes no tenant
  expect(() => things.get('id')).toThrow(TypeError);
  // @ts-expect-error a tenant has to be named
  expect(() => things.in()).toThrow('not a tenant id');
  // @ts-expect-error any string is not a tenant's id
  expect(() => things.in('acme')).toThrow('not a tenant id');
  // @ts-expect-error crossing tenants takes a reason
  expect(() => things.acrossTenants()).toThrow(TypeError);
  expect(() => things.acrossTenants(' ')).toThrow('needs a reason');
  for (const forged of [
    undefined,
    null,
    {},
    { $ne: null },
    'ten_',
    'ten_x',
    ['ten_00000000-0000-7000-8000-000000000001'],
  ]) {
    expect(() => things.in(forged as TenantId)).toThrow('not a tenant id');
  }
  expect(things.in('ten_00000000-0000-7000-8000-000000000001').tenantId).toBe(
    'ten_00000000-0000-7000-8000-000000000001',
  );
  await store.close();
});

test('what the store was not opened with cannot be asked of it', async () => {
  const late = collection<{ name: string }>({ name: 'late' });
  const store = openStore({ uri: 'mongodb://127.0.0.1:1', database: 'never', source: '/test', contents: {} });
  expect(() => store.collection(late)).toThrow('late was not handed to the store');
  expect(() =>
    openStore({
      uri: 'mongodb://127.0.0.1:1',
      database: 'never',
      source: '/test',
      contents: { collections: [late, late] },
    }),
  ).toThrow('two things of the store are named late');
  await store.close();
});
