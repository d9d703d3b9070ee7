// The database of the running auth service, as no service sees it: filled with the settings of many tenants, and asked
// what a sign-in made the server read.
import { newId, type TenantId } from '@reeve/contracts';
import type { Credentials } from '@reeve/local/system';
import { type Document, MongoClient } from 'mongodb';

/** What a sign-in finds its way by. */
const settings = ['sso_connections', 'auth_keys', 'clients', 'domains'] as const;
const profileBytes = 16 * 1024 * 1024;
const copiesAtOnce = 500;

/** Operations, and what they looked at, in the collections of settings alone: nobody else reads them meanwhile. */
export type Read = { operations: number; keys: number; documents: number };

export async function openAuthStore({ mongodb }: Credentials, tenantId: string) {
  const client = new MongoClient(mongodb);
  const { databases } = await client.db('admin').admin().listDatabases();
  const candidates = databases.map(({ name }) => client.db(name)).filter(one => one.databaseName.endsWith('_auth'));
  const found = await Promise.all(
    candidates.map(async one => ((await one.collection('sso_connections').findOne({ tenantId })) ? one : null)),
  );
  const db = found.find(one => one !== null);
  if (!db) throw new Error('no database of auth knows this tenant');

  const others: TenantId[] = [];

  /** The same of another tenant: an id is another one, wherever it stands in a key. */
  function copyOf(document: Document, copy: TenantId): Document {
    const id = document['id'] as string;
    const prefix = /^[a-z]+(?=_)/.exec(id)?.[0];
    const another = prefix === undefined ? id : `${prefix}_${newId('tenant').slice(4)}`;
    const renamed = (key: string) => key.replace(tenantId, copy).replace(id, another);
    const unique = Object.entries(document['unique'] as Record<string, string>);
    return {
      ...document,
      _id: `${copy}:${another}`,
      tenantId: copy,
      id: another,
      outbox: [],
      unique: Object.fromEntries(unique.map(([name, key]) => [name, renamed(key)])),
    };
  }

  return {
    /** Other tenants with the same settings; gives how many documents of each collection there are more. */
    async addTenantsLikeIt(count: number): Promise<Record<string, number>> {
      const tenants = Array.from({ length: count }, () => newId('tenant'));
      others.push(...tenants);
      const added: Record<string, number> = {};
      for (const name of settings) {
        const own = await db.collection(name).find({ tenantId }).toArray();
        const copies = tenants.flatMap(copy => own.map(document => copyOf(document, copy)));
        for (let at = 0; at < copies.length; at += copiesAtOnce)
          await db.collection(name).insertMany(copies.slice(at, at + copiesAtOnce));
        added[name] = copies.length;
      }
      return added;
    },

    async readBy(work: () => Promise<unknown>): Promise<Read> {
      await db.command({ profile: 0 });
      await db.dropCollection('system.profile').catch(() => undefined);
      await db.createCollection('system.profile', { capped: true, size: profileBytes });
      await db.command({ profile: 2 });
      await work();
      await db.command({ profile: 0 });
      const own = { ns: { $in: settings.map(name => `${db.databaseName}.${name}`) } };
      const done = await db.collection('system.profile').find(own).toArray();
      const sum = (name: string) => done.reduce((total, one) => total + Number(one[name] ?? 0), 0);
      return { operations: done.length, keys: sum('keysExamined'), documents: sum('docsExamined') };
    },

    /** Without those tenants. */
    async close(): Promise<void> {
      for (const name of settings) await db.collection(name).deleteMany({ tenantId: { $in: others } });
      await client.close();
    },
  };
}
