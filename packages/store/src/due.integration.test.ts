// What is due, asked for without some tenants: whoever works on so many of one tenant passes over the rest of theirs.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { newId, type TenantId } from '@reeve/contracts';
import type { CommandStartedEvent } from 'mongodb';
import { collection } from './definition.ts';
import { explainQueries } from './explain.ts';
import { openStore, type Store } from './store.ts';

type Job = { dueAt: number | null };

const jobs = collection<Job>({
  name: 'jobs',
  dueAt: ({ dueAt }) => (dueAt === null ? null : new Date(dueAt)),
});

const uri = process.env['REEVE_TEST_MONGODB'] ?? '';
if (uri === '') throw new Error('there is no store: use `npm test`, which starts one');
const database = `due_${randomUUID().slice(0, 8)}`;
const commands: CommandStartedEvent[] = [];
const [many, few, none] = [newId('tenant'), newId('tenant'), newId('tenant')];
let store: Store;

beforeAll(async () => {
  const contents = { collections: [jobs] };
  store = openStore({ uri, database, source: '/test', contents, onCommand: command => commands.push(command) });
  await store.prepare();
  const entries = (tenantId: TenantId, count: number, dueAt: (n: number) => number | null) =>
    Array.from({ length: count }, (_, n) => ({ tenantId, id: `${n}`, state: { dueAt: dueAt(n) } }));
  await store
    .collection(jobs)
    .acrossTenants('a test')
    .putAll([
      ...entries(many, 1_000, n => n),
      ...entries(few, 3, n => 2_000 + n),
      ...entries(none, 500, () => null),
      ...entries(few, 1, () => Date.now() + 60_000).map(one => ({ ...one, id: 'later' })),
    ]);
});
afterAll(() => store.close());

describe('what is due', () => {
  const due = (limit: number, except?: TenantId[]) => store.collection(jobs).acrossTenants('a test').due(limit, except);

  test('is asked for longest overdue first, without the tenants that are left out', async () => {
    expect((await due(2)).map(({ tenantId, id }) => [tenantId, id])).toEqual([
      [many, '0'],
      [many, '1'],
    ]);
    expect((await due(5, [many])).map(({ tenantId, id }) => [tenantId, id])).toEqual([
      [few, '0'],
      [few, '1'],
      [few, '2'],
    ]);
    expect(await due(5, [many, few])).toEqual([]);
  });

  test('of a tenant that is left out is not read, however much that is', async () => {
    commands.length = 0;
    await due(5, [many]);
    const [explained] = await explainQueries(uri, database, commands);
    expect(explained).toMatchObject({ returned: 3, examined: 3 });
    expect(explained?.stages).not.toContain('SORT');
  });
});

test('an entry that is not there has version 0', async () => {
  const own = store.collection(jobs).in(newId('tenant'));
  const cause = { actor: { type: 'service', id: 't', name: null, via: 'system' }, correlationId: 'c' } as const;
  const context = { ip: null, userAgent: null, sessionId: null, connectionId: null, clientId: null, requestId: null };
  const save = (expectedVersion: number) =>
    own.change('x', () => ({ state: { dueAt: null }, events: [] }), { cause: { ...cause, context }, expectedVersion });
  await expect(save(1)).rejects.toThrow('version 1 is not the current one');
  expect(await save(0)).toMatchObject({ version: 1 });
  await expect(save(0)).rejects.toThrow('version 0 is not the current one');
});
