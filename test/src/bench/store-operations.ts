// Counts what the server did, by its own profiler: each entry is an operation, a bulk write as many as it has
// statements.
import { MongoClient } from 'mongodb';

const profileBytes = 64 * 1024 * 1024;

/** Of the databases whose names begin with `prefix`. */
export async function countStoreOperations(uri: string, prefix: string) {
  const client = new MongoClient(uri);
  const { databases } = await client.db('admin').admin().listDatabases();
  const own = databases.filter(({ name }) => name.startsWith(prefix)).map(({ name }) => client.db(name));
  async function profile(level: 0 | 2): Promise<void> {
    for (const db of own) await db.command({ profile: level });
  }
  await profile(0);
  for (const db of own) {
    await db.dropCollection('system.profile').catch(() => undefined);
    await db.createCollection('system.profile', { capped: true, size: profileBytes });
  }
  const isOurs = {
    ns: { $not: /system\.profile$/ },
    op: { $in: ['insert', 'query', 'update', 'remove', 'command', 'getmore'] },
  };

  return {
    /** Only while it counts, since each operation then costs the server another one. */
    start: () => profile(2),
    pause: () => profile(0),

    /** So far, by database and collection. */
    async byCollection(): Promise<Map<string, number>> {
      const found = new Map<string, number>();
      for (const db of own) {
        const entries = db.collection('system.profile').find(isOurs, { projection: { ns: 1, op: 1, command: 1 } });
        for await (const { ns, op, command } of entries) {
          const [, collection = ''] = /^[^.]+\.(.+)$/.exec(String(ns)) ?? [];
          // Probes and the like concern no collection.
          if (collection === '$cmd' || collection === '') continue;
          const did = op === 'command' ? Object.keys((command ?? {}) as object)[0] : String(op);
          const name = `${db.databaseName}.${collection} ${did}`;
          found.set(name, (found.get(name) ?? 0) + 1);
        }
      }
      return found;
    },

    async stop(): Promise<void> {
      await profile(0);
      await client.close();
    },
  };
}
