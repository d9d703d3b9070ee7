// Entries of many tenants in one round trip, and nothing of a tenant that was not named.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { CommandStartedEvent } from 'mongodb';
import { collection } from './definition.ts';
import { explainQueries } from './explain.ts';
import { openStore, type Store } from './store.ts';

type Place = { name: string; until?: string; colour?: string };

const places = collection<Place>({
  name: 'places',
  unique: { name: ({ name }) => name },
  foundAcrossTenants: ['colour'],
  expiresAt: ({ until }) => (until === undefined ? null : new Date(until)),
});

const uri = process.env['REEVE_TEST_MONGODB'] ?? '';
if (uri === '') throw new Error('there is no store: use `npm test`, which starts one');
const database = `across_${randomUUID().slice(0, 8)}`;
const commands: CommandStartedEvent[] = [];
const [one, other, third] = [newId('tenant'), newId('tenant'), newId('tenant')];
let store: Store;

beforeAll(async () => {
  const contents = { collections: [places] };
  store = openStore({ uri, database, source: '/test', contents, onCommand: command => commands.push(command) });
  await store.prepare();
  const entries = [one, other, third].flatMap(tenantId =>
    ['a', 'b', 'c'].map(id => ({ tenantId, id, state: { name: `place ${id}` } })),
  );
  const gone = { tenantId: one, id: 'gone', state: { name: 'gone', until: new Date(0).toISOString() } };
  await store
    .collection(places)
    .acrossTenants('a test')
    .putAll([...entries, gone]);
});
afterAll(() => store.close());

const everywhere = () => store.collection(places).acrossTenants('a test');

test('entries of several tenants are read at once, those that are there and have not expired', async () => {
  const asked = [
    { tenantId: one, id: 'a' },
    { tenantId: other, id: 'b' },
    { tenantId: one, id: 'gone' },
    { tenantId: other, id: 'nowhere' },
  ];
  commands.length = 0;
  const found = await everywhere().getAll(asked);
  expect(found.map(({ tenantId, id }) => `${tenantId} ${id}`).toSorted()).toEqual(
    [`${one} a`, `${other} b`].toSorted(),
  );
  expect(await explainQueries(uri, database, commands)).toMatchObject([{ returned: 3, examined: 3 }]);
  expect(await everywhere().getAll([])).toEqual([]);
});

test('entries are found by unique keys of their tenants, and by no other’s', async () => {
  const asked = [
    { tenantId: one, key: 'place a' },
    { tenantId: other, key: 'place c' },
    { tenantId: third, key: 'gone' },
  ];
  commands.length = 0;
  const found = await everywhere().getAllByUnique('name', asked);
  expect(found.map(({ tenantId, id }) => `${tenantId} ${id}`).toSorted()).toEqual(
    [`${one} a`, `${other} c`].toSorted(),
  );
  expect(await explainQueries(uri, database, commands)).toMatchObject([{ returned: 2, examined: 2 }]);
  await expect(everywhere().getAllByUnique('slug', [])).rejects.toThrow('places has no unique "slug"');
});

test('entries of all tenants are found by a field that is declared for it, as long as they count', async () => {
  const state = (name: string, until?: string) => ({ name, colour: 'red', ...(until === undefined ? {} : { until }) });
  await everywhere().putAll([
    { tenantId: one, id: 'r1', state: state('r1') },
    { tenantId: other, id: 'r2', state: state('r2') },
    { tenantId: other, id: 'r3', state: state('r3', new Date(0).toISOString()) },
    { tenantId: third, id: 'g1', state: { name: 'g1', colour: 'green' } },
  ]);
  commands.length = 0;
  const found = await everywhere().findBy('colour', 'red', 10);
  expect(found.map(({ tenantId, id }) => `${tenantId} ${id}`).toSorted()).toEqual(
    [`${one} r1`, `${other} r2`].toSorted(),
  );
  expect(await explainQueries(uri, database, commands)).toMatchObject([{ returned: 2, examined: 2 }]);
  expect(await everywhere().findBy('colour', 'red', 1)).toHaveLength(1);
  await expect(everywhere().findBy('name', 'r1', 10)).rejects.toThrow('is not found by "name" across tenants');
});

test('all of them go on after the one that is named', async () => {
  const namesAfter = async (after?: { tenantId: typeof one; id: string }) => {
    const found: string[] = [];
    for await (const { tenantId, id } of store.collection(places).acrossTenants('a test').all({ after }))
      found.push(`${tenantId} ${id}`);
    return found;
  };
  const all = await namesAfter();
  expect(all.length).toBeGreaterThanOrEqual(9);
  expect(await namesAfter({ tenantId: one, id: 'b' })).toEqual(all.slice(all.indexOf(`${one} b`) + 1));
});
