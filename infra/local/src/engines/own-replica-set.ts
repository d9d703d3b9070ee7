// Three members of MongoDB for one test file alone, each of which may be killed, made to step down and started again.
import { MongoClient } from 'mongodb';
import type { Child, Children } from '../children.ts';
import { freePort } from '../ports.ts';
import { startWithinMs, waitFor } from '../wait-for.ts';
import { findMongod, replicaSet, startMember } from './mongod.ts';

/** The least that mongod takes. */
const cacheGB = 0.25;

export type OwnReplicaSet = Awaited<ReturnType<typeof startOwnReplicaSet>>;

/** Resolves when it takes writes. `directories` are where the members keep their data, one for each. */
export async function startOwnReplicaSet(children: Children, directories: readonly string[]) {
  const environment = { PATH: process.env['PATH'], MONGOD_BINARY: process.env['MONGOD_BINARY'] };
  const { binary } = await findMongod(children, { environment, say: () => undefined });
  const members: { host: string; child: Child; start(): Child }[] = [];
  for (const [index, directory] of directories.entries()) {
    const port = await freePort();
    const start = () => startMember(children, { name: `mongodb-${index}`, binary, port, directory, cacheGB });
    members.push({ host: `127.0.0.1:${port}`, child: start(), start });
  }
  const hosts = members.map(({ host }) => host);

  async function at<T>(index: number, ask: (client: MongoClient) => Promise<T>): Promise<T> {
    const client = new MongoClient(`mongodb://${hosts[index]}/?directConnection=true`, {
      serverSelectionTimeoutMS: 2_000,
    });
    try {
      return await ask(client);
    } finally {
      await client.close();
    }
  }
  const command = (index: number, asked: object) =>
    at(index, client => client.db('admin').command(asked as Record<string, unknown>));
  const isPrimary = async (index: number): Promise<boolean> =>
    ((await command(index, { hello: 1 })) as { isWritablePrimary: boolean }).isWritablePrimary;

  async function primary(): Promise<number | null> {
    const found = await Promise.all(hosts.map((_, index) => isPrimary(index).catch(() => false)));
    return found.includes(true) ? found.indexOf(true) : null;
  }
  async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
    if (!(await waitFor(holds, { withinMs: startWithinMs }))) throw new Error(`it did not come about: ${what}`);
  }
  function member(index: number) {
    const found = members[index];
    if (!found) throw new RangeError(`there is no member ${index}`);
    return found;
  }

  const wanted = { _id: replicaSet, members: hosts.map((host, _id) => ({ _id, host })) };
  await until(
    'they answer',
    async () => (await Promise.all(hosts.map((_, index) => command(index, { ping: 1 })))) && true,
  );
  await command(0, { replSetInitiate: wanted });
  await until('a first primary', async () => (await primary()) !== null);

  return {
    uri: `mongodb://${hosts.join(',')}/?replicaSet=${replicaSet}`,
    hosts,
    /** Which takes writes now; null where none does. */
    primary,
    /** It lets another one take writes, and does not for some seconds. */
    stepDown: (index: number) => command(index, { replSetStepDown: 10, secondaryCatchUpPeriodSecs: 5 }),
    /** It takes writes as soon as it can. */
    async stepUp(index: number): Promise<void> {
      await until(`member ${index} takes writes`, async () => {
        if (await isPrimary(index)) return true;
        await command(index, { replSetStepUp: 1 });
        return false;
      });
    },
    kill: (index: number) => member(index).child.kill(),
    hasExited: (index: number) => member(index).child.hasExited(),
    /** On the data that it had. */
    start(index: number): void {
      const one = member(index);
      one.child = one.start();
    },
    stop: async () => void (await Promise.all(members.map(({ child }) => child.stop()))),
  };
}
