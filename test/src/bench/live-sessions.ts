// Whether what people and applications do all day costs more where many are signed in. Those many are copies of one
// that is real, made in the store: a hundred thousand sign-ins would take hours.
import { randomUUID } from 'node:crypto';
import { newId } from '@reeve/contracts';
import { decodeJwt } from 'jose';
import { BSON, type Document, MongoClient } from 'mongodb';
import type { CostBench } from './bench-context.ts';
import { doorOf, everybodyIsNew, postForm, prepared, repeat, signInBy, type Tokens } from './sign-in.ts';

const [few, many] = [1_000, 100_000];
const atOnce = 8;
const [warmUps, times] = [400, 1_200];
const mostAtOnce = 2_000;
/** Of the processes that have more to do where there is more. */
const measured = ['auth', 'mongodb'];

export const liveSessions: CostBench = {
  name: 'live sessions, a thousand and a hundred thousand',
  async run(context) {
    const { credentials, processorMs, memoryMb } = context;
    everybodyIsNew(context);
    const { auth } = credentials.urls;
    const { application } = await prepared(context, 'oidc');
    const door = doorOf(auth, application);
    const copies = await copierOf(credentials.mongodb, await signInBy(door));
    const own = await Promise.all(Array.from({ length: atOnce }, () => signInBy(door)));
    const paths = {
      'sign-in': () => signInBy(door),
      refresh: async (worker: number) => {
        const form = { grant_type: 'refresh_token', refresh_token: own[worker]?.refresh_token ?? '' };
        own[worker] = await postForm(door.token, application, form);
      },
      introspection: (worker: number) =>
        postForm(`${auth}/token/introspection`, application, { token: own[worker]?.access_token ?? '' }),
    };

    /** Processor time for one of each, in ms. */
    async function costs(): Promise<Map<string, number>> {
      const found = new Map<string, number>();
      const spent = () => measured.reduce((sum, name) => sum + (processorMs()[name] ?? 0), 0);
      for (const [name, work] of Object.entries(paths)) {
        const before = spent();
        await repeat(times, atOnce, work);
        found.set(name, (spent() - before) / times);
      }
      return found;
    }

    for (const work of Object.values(paths)) await repeat(warmUps, atOnce, work);
    await copies.upTo(few);
    const atFew = await costs();
    await copies.upTo(many);
    const atMany = await costs();
    const memory = memoryMb()['auth'] ?? 0;
    await copies.stop();
    const results = [...atFew].map(([name, before]) => {
      const after = atMany.get(name) ?? 0;
      return {
        what: `${name}, of ${few} and of ${many} live sessions`,
        costs: [
          { of: `processor ms at ${few}`, each: before },
          { of: `processor ms at ${many}`, each: after },
          { of: 'times as much', each: after / before, atMost: 1.2 },
        ],
        details: {},
      };
    });
    const held = { of: 'MB of auth', each: memory, atMost: 250 };
    return { results: [...results, { what: `${many} live sessions`, costs: [held], details: {} }], details: {} };
  },
};

/** Makes sessions with their grants like the one that the tokens belong to. */
async function copierOf(uri: string, { id_token: idToken }: Pick<Tokens, 'id_token'>) {
  const { sid, sub } = decodeJwt(idToken) as { sid: string; sub: string };
  const client = new MongoClient(uri);
  const db = client.db('reeve_auth');
  const [sessions, grants] = [db.collection<Document>('sessions'), db.collection<Document>('oidc_grants')];
  const originals = [
    { of: sessions, text: BSON.EJSON.stringify(await sessions.findOne({ id: sid })) },
    { of: grants, text: BSON.EJSON.stringify(await grants.findOne({ _id: { $regex: sid } as never })) },
  ];
  let made = 0;
  const copied = (text: string) => {
    const [session, user] = [newId('session'), newId('user')];
    const copy = BSON.EJSON.parse(text.replaceAll(sid, session).replaceAll(sub, user)) as Document;
    // The code of a grant is its own, and what a session has told is told.
    if (copy['row']) return { ...copy, row: { ...(copy['row'] as object), codeHash: randomUUID() } };
    return { ...copy, outbox: [], unique: { ...(copy['unique'] as object), statusList: `${randomUUID()} 0` } };
  };
  return {
    async upTo(count: number): Promise<void> {
      for (; made < count; made += mostAtOnce / 2) {
        const now = Math.min(mostAtOnce / 2, count - made);
        for (const { of, text } of originals)
          await of.insertMany(
            Array.from({ length: now }, () => copied(text)),
            { ordered: false },
          );
      }
    },
    stop: () => client.close(),
  };
}
