// Which connection a sign-in takes, and whose word counts for which address.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { activate, type Connection, connections, draft, remove } from './connection.ts';
import { type ConnectionDirectory, createConnectionDirectory } from './connection-directory.ts';

let store: Store;
let directory: ConnectionDirectory;
let tenantId: TenantId;
const cause = serviceCause('auth', { correlationId: newEventId() });

beforeAll(async () => {
  const database = `directory_${randomUUID().slice(0, 8)}`;
  const contents = { collections: [connections] };
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  directory = createConnectionDirectory({ connections: store.collection(connections) });
});

async function connect(domains: string[] = [], { of = tenantId, isActive = true } = {}) {
  const id = newId('connection');
  const createdAt = new Date().toISOString();
  const { state, events } = draft(id, {
    name: 'An identity provider',
    kind: 'oidc',
    settings: {},
    issuer: 'https://idp.example',
    domains,
    trustEmail: false,
    jit: { enabled: true, defaultRoles: [] },
    secretSetAt: createdAt,
    createdAt,
  });
  const own = store.collection(connections).in(of);
  await own.create(id, { state, events }, cause);
  if (isActive) await own.change(id, found => found && activate(id, found), { cause });
  return id;
}
const chosen = async (asked: string | null) => (await directory.choose(tenantId, asked))?.id ?? null;

describe('a sign-in', () => {
  test('takes the connection that it asks for, and the oldest where it asks for none', async () => {
    const [first, second] = [await connect(), await connect()];
    expect([await chosen(null), await chosen(first), await chosen(second)]).toEqual([first, first, second]);
  });

  test('takes none that is a draft, of another tenant, or not there', async () => {
    const unfinished = await connect([], { isActive: false });
    const elsewhere = await connect([], { of: newId('tenant') });
    for (const asked of [null, unfinished, elsewhere, newId('connection'), '']) expect(await chosen(asked)).toBeNull();
    directory.forget(tenantId);
    const ready = await connect();
    expect(await chosen(null)).toBe(ready);
  });

  test('goes by what was true a second ago, unless this process knows better', async () => {
    const id = await connect();
    expect(await chosen(id)).toBe(id);
    const gone = (state: Connection | null) => state && remove(id, state, new Date());
    await store.collection(connections).in(tenantId).change(id, gone, { cause });
    expect(await chosen(id)).toBe(id);
    directory.forget(tenantId);
    expect(await chosen(id)).toBeNull();
  });
});

describe('a connection', () => {
  test('speaks for the addresses of its domain, in whatever case', async () => {
    const id = await connect(['acme.example']);
    const speaks = (email: string) => directory.speaksFor(tenantId, id, email);
    for (const email of ['ada@acme.example', 'Ada@ACME.example', '"x@evil.example"@acme.example'])
      expect([email, await speaks(email)]).toEqual([email, true]);
    for (const email of [
      'ada@evil.example',
      'ada@sub.acme.example',
      'ada@acme.example.evil.example',
      'ada@xacme.example',
      'acme.example@evil.example',
      'ada@acme.example ',
      'ada@\u0430cme.example',
      'acme.example',
      'ada@',
      '',
    ])
      expect([email, await speaks(email)]).toEqual([email, false]);
  });

  test('does not speak for what another one says it speaks for as well: then neither does', async () => {
    const [one, other] = [await connect(['acme.example']), await connect(['acme.example'])];
    for (const id of [one, other]) expect(await directory.speaksFor(tenantId, id, 'ada@acme.example')).toBe(false);
  });

  test('does not speak for a domain of another tenant’s, nor as long as it is a draft', async () => {
    const elsewhere = await connect(['acme.example'], { of: newId('tenant') });
    const unfinished = await connect(['acme.example'], { isActive: false });
    for (const id of [elsewhere, unfinished])
      expect(await directory.speaksFor(tenantId, id, 'ada@acme.example')).toBe(false);
  });
});
