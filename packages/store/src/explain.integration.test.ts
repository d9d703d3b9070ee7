// Every kind of query that the store can build, on a real server, among many documents that it must not look at.
import { randomUUID } from 'node:crypto';
import { afterAll, expect, test } from '@jest/globals';
import { newEventId, newId } from '@reeve/contracts';
import type { CommandStartedEvent } from 'mongodb';
import { collection } from './definition.ts';
import { explainQueries, isWasteful, wastefulQueries } from './explain.ts';
import { journal } from './journal-definition.ts';
import { platformRecords } from './platform-records.ts';
import { type Contents, openStore } from './store.ts';

type Ticket = { owner: string; kind: string; at: string; tags: string[]; until: string };

const tickets = collection<Ticket>({
  name: 'tickets',
  unique: { owner: ({ owner }) => owner },
  globallyUnique: { id: (_, id) => id },
  listedAcrossTenants: true,
  queries: {
    inOrder: { equality: [] },
    newest: { equality: [], direction: 'descending' },
    byKind: { equality: ['kind'], sort: 'at', direction: 'descending', narrowedBy: ['owner'] },
    byTag: { equality: ['tags'], sort: 'at' },
  },
  expiresAt: ({ until }) => new Date(until),
  dueAt: ({ at }) => new Date(at),
});
const lasting = collection<Ticket>({
  name: 'lasting',
  queries: { byKind: { equality: ['kind'], narrowedBy: ['tags'] } },
});
const entries = journal<Ticket>({
  name: 'entries',
  queries: { byKind: { equality: ['kind'], sort: 'at', narrowedBy: ['owner'] } },
  eventsOf: () => [],
  topics: new Set(),
});
const codes = platformRecords<{ client: string }>({ name: 'codes', reason: 'a test', keys: ['client'] });

const uri = process.env['REEVE_TEST_MONGODB'] ?? '';
if (uri === '') throw new Error('there is no store: use `npm test`, which starts one');
const contents: Contents = { collections: [tickets, lasting], journals: [entries], platformRecords: [codes] };

const database = `explain_${randomUUID().slice(0, 8)}`;
const commands: CommandStartedEvent[] = [];
const store = openStore({ uri, database, source: '/test', contents, onCommand: command => commands.push(command) });
afterAll(() => store.close());

test('no query that contents declare examines more documents than it returns', async () => {
  expect(await wastefulQueries(uri, contents)).toEqual([]);
});

test('a query that has no index is seen', async () => {
  const own = store.collection(lasting).in(newId('tenant'));
  for (const kind of ['odd', 'even', 'odd', 'even', 'prime'])
    await own.put(newEventId(), { owner: '', kind, at: '', tags: [], until: '' });
  const command = { find: 'lasting', filter: { 'state.kind': 'prime' }, limit: 1 };
  const asked = { commandName: 'find', command } as unknown as CommandStartedEvent;
  expect((await explainQueries(uri, database, [asked])).map(isWasteful)).toEqual([true]);
});

test('a sweep looks at nothing where nothing waits', async () => {
  await store.prepare();
  commands.length = 0;
  await store.sweep();
  const found = await explainQueries(uri, database, commands);
  expect(found.length).toBeGreaterThan(0);
  expect(found.filter(isWasteful)).toEqual([]);
});
