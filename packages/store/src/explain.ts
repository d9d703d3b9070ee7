// For tests: what MongoDB has to read for the queries that a service can ask. Each query that its contents declare is
// sent to a real server, among many documents that it must not look at, and explained.
import { randomUUID } from 'node:crypto';
import { newId, type TenantId } from '@reeve/contracts';
import { type CommandStartedEvent, type Db, MongoClient } from 'mongodb';
import { type CollectionDefinition, uniqueKey } from './definition.ts';
import { documentKey } from './document.ts';
import type { PlatformDefinition } from './platform-records.ts';
import { type Collections, type Contents, openStore } from './store.ts';

export type Explained = { command: string; returned: number; examined: number; stages: string[] };

type Plan = { stage?: string; inputStage?: Plan; inputStages?: Plan[]; queryPlan?: Plan };
type Execution = {
  executionStats: { nReturned: number; totalDocsExamined: number };
  queryPlanner: { winningPlan: Plan };
};
/** Of an aggregation, what is under its first stage. */
type Answer = Execution & { stages?: readonly { $cursor: Execution }[] };
type Fields = Record<string, string>;

const explained = new Set(['find', 'aggregate', 'count']);
/** One more than asked for is read, to know whether there is a next page. */
const tolerance = 1.2;
const rowsOfEach = 500;
const sampleAt = 240;
const limit = 5;

function stagesOf(plan: Plan): string[] {
  const inner = [plan.queryPlan, plan.inputStage, ...(plan.inputStages ?? [])].filter(one => one !== undefined);
  return [...(plan.stage === undefined ? [] : [plan.stage]), ...inner.flatMap(stagesOf)];
}

/** Runs the queries among these commands once more and says for each how many documents were examined and returned. */
export async function explainQueries(
  uri: string,
  database: string,
  commands: readonly CommandStartedEvent[],
): Promise<Explained[]> {
  const client = new MongoClient(uri);
  try {
    const found: Explained[] = [];
    for (const { commandName, command } of commands.filter(one => explained.has(one.commandName))) {
      const { lsid: _, $clusterTime: __, $db: ___, txnNumber: ____, ...query } = command;
      const answer = (await client.db(database).command({ explain: query, verbosity: 'executionStats' })) as Answer;
      const { executionStats, queryPlanner } = answer.stages?.[0]?.$cursor ?? answer;
      found.push({
        command: `${commandName} ${JSON.stringify(query)}`,
        returned: executionStats.nReturned,
        examined: executionStats.totalDocsExamined,
        stages: stagesOf(queryPlanner.winningPlan),
      });
    }
    return found;
  } finally {
    await client.close();
  }
}

export const isWasteful = ({ returned, examined, stages }: Explained): boolean =>
  examined > Math.max(returned, 1) * tolerance || stages.includes('COLLSCAN') || stages.includes('SORT');

/** Of all queries that these contents let a service ask, those that read more than they return. */
export async function wastefulQueries(uri: string, contents: Contents): Promise<Explained[]> {
  const commands: CommandStartedEvent[] = [];
  const database = `explain_${randomUUID().slice(0, 8)}`;
  const onCommand = (command: CommandStartedEvent) => commands.push(command);
  const store = openStore({ uri, database, source: '/test', contents, onCommand });
  const client = new MongoClient(uri);
  const db = client.db(database);
  const { collections = [], journals = [], platformRecords = [] } = contents;
  try {
    await store.prepare();
    const mine = newId('tenant');
    for (const definition of [...collections, ...journals]) await fill(db, definition, mine);
    for (const definition of platformRecords) await fillRecords(db, definition);
    commands.length = 0;
    for (const definition of collections) await ask(store.collection(definition), definition, mine);
    for (const definition of journals) await ask(store.journal(definition), definition, mine);
    for (const definition of platformRecords)
      for (const key of definition.keys ?? [])
        await store.platformRecords<Fields>(definition).findBy(key, valueOf(key, sampleAt));
    return (await explainQueries(uri, database, commands)).filter(isWasteful);
  } finally {
    await db.dropDatabase();
    await client.close();
    await store.close();
  }
}

const padded = (index: number) => String(index).padStart(6, '0');
const idOf = (index: number) => `row-${padded(index)}`;
/** Some rows have it in common. */
const valueOf = (field: string, index: number) => `${field}-${index % 10}`;

/** Values for all fields that queries go by: one of its own for a field that orders, a shared one for the others. */
function stateAt<S>({ queries = {}, foundAcrossTenants = [] }: CollectionDefinition<S>, index: number): Fields {
  const shapes = Object.values(queries);
  const ofShapes = shapes.flatMap(({ equality, narrowedBy = [] }) => [...equality, ...narrowedBy]);
  const shared = [...ofShapes, ...foundAcrossTenants];
  const ordering = shapes.flatMap(({ sort }) => sort ?? []);
  return Object.fromEntries([
    ...shared.map(field => [field, valueOf(field, index)]),
    ...ordering.map(field => [field, padded(index)]),
  ]) as Fields;
}

const namesOf = <S>({ unique = {}, globallyUnique = {} }: CollectionDefinition<S>) => ({
  unique: Object.keys(unique),
  globallyUnique: Object.keys(globallyUnique),
});

async function fill<S>(db: Db, definition: CollectionDefinition<S>, mine: TenantId): Promise<void> {
  const { unique, globallyUnique } = namesOf(definition);
  const rows = [mine, newId('tenant'), newId('tenant')].flatMap(tenantId =>
    Array.from({ length: rowsOfEach }, (_, index) => ({
      _id: documentKey(tenantId, idOf(index)),
      tenantId,
      id: idOf(index),
      version: 1,
      stateVersion: definition.version ?? 1,
      state: stateAt(definition, index),
      unique: Object.fromEntries([
        ...unique.map(name => [name, uniqueKey(tenantId, String(index))]),
        ...globallyUnique.map(name => [name, `${tenantId}-${index}`]),
      ]) as Fields,
      outbox: [],
      changedAt: new Date(),
      // Two thirds have expired and are still there.
      ...(definition.expiresAt ? { expiresAt: new Date(Date.now() + (index % 3 === 0 ? 60_000 : -60_000)) } : {}),
      ...(definition.dueAt && index % 50 === 0 ? { dueAt: new Date(Date.now() - index) } : {}),
    })),
  );
  await db.collection<(typeof rows)[number]>(definition.name).insertMany(rows);
}

async function fillRecords<R>(db: Db, { name, keys = [], version = 1 }: PlatformDefinition<R>): Promise<void> {
  const rows = Array.from({ length: rowsOfEach }, (_, index) => ({
    _id: idOf(index),
    row: Object.fromEntries(keys.map(key => [key, valueOf(key, index)])),
    rowVersion: version,
  }));
  await db.collection<(typeof rows)[number]>(name).insertMany(rows);
}

/** Everything that the definition lets one ask, once. */
async function ask<S>(collection: Collections<S>, definition: CollectionDefinition<S>, mine: TenantId): Promise<void> {
  const own = collection.in(mine);
  const everywhere = collection.acrossTenants('a test');
  const { unique, globallyUnique } = namesOf(definition);
  await own.get(idOf(sampleAt));
  await own.getAll([idOf(sampleAt), idOf(sampleAt + 3)]);
  for (const name of unique) await own.getByUnique(name, String(sampleAt));
  for (const name of globallyUnique) await everywhere.getByUnique(name, `${mine}-${sampleAt}`);
  if (definition.dueAt) await everywhere.due(limit);
  if (definition.listedAcrossTenants)
    for (const after of [undefined, idOf(sampleAt)]) await everywhere.list({ limit, after });
  const sample = stateAt(definition, sampleAt);
  for (const name of definition.foundAcrossTenants ?? []) await everywhere.findBy(name, sample[name] ?? '', limit);
  // The states that were filled in hold what queries go by and nothing else.
  const valuesOf = (fields: readonly string[]) =>
    Object.fromEntries(fields.map(field => [field, sample[field]])) as Parameters<typeof own.list>[1];
  for (const [name, { equality, sort, narrowedBy = [] }] of Object.entries(definition.queries ?? {})) {
    const equal = valuesOf(equality);
    const { nextCursor } = await own.list(name, equal, { limit });
    if (nextCursor !== null) await own.list(name, equal, { limit, cursor: nextCursor });
    if (sort) await own.list(name, equal, { limit, range: { from: padded(60), before: padded(400) } });
    for (const field of narrowedBy) await own.list(name, equal, { limit, only: valuesOf([field]) });
    await own.count(name, equal);
    if (narrowedBy.length > 0) await own.count(name, equal, { only: valuesOf(narrowedBy) });
  }
}
