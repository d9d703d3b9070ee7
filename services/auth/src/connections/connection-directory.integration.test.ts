// Which connection a sign-in takes, and whose word counts for which address.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { claim, conclude, type Domain, domains, release } from '../domains/domain.ts';
import { createDomainDirectory, type DomainDirectory } from '../domains/domain-directory.ts';
import { domainOf } from '../domains/domain-name.ts';
import { type Check, newToken } from '../domains/proof.ts';
import { asked } from './connection.test-support.ts';
import { activate, type Connection, connections, draft, remove } from './connection.ts';
import { type ConnectionDirectory, createConnectionDirectory } from './connection-directory.ts';

let store: Store;
let directory: ConnectionDirectory;
let domainDirectory: DomainDirectory;
let tenantId: TenantId;
const cause = serviceCause('auth', { correlationId: newEventId() });

beforeAll(async () => {
  const database = `directory_${randomUUID().slice(0, 8)}`;
  const contents = { collections: [connections, domains] };
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  tenantId = newId('tenant');
  domainDirectory = createDomainDirectory({ domains: store.collection(domains) });
  directory = createConnectionDirectory({ connections: store.collection(connections), domains: domainDirectory });
});

type Settings = { of?: TenantId; isActive?: boolean; restingOn?: Id<'domain'> };

async function connect(speaksFor: string[] = [], { of = tenantId, isActive = true, restingOn }: Settings = {}) {
  const id = newId('connection');
  const domainProofs = restingOn ? { domainProofs: speaksFor.map(domain => ({ domain, domainId: restingOn })) } : {};
  const { state, events } = draft(id, asked({ domains: speaksFor, ...domainProofs }));
  const own = store.collection(connections).in(of);
  await own.create(id, { state, events }, cause);
  if (isActive) await own.change(id, found => found && activate(id, found), { cause });
  return id;
}

async function prove(name: string, of = tenantId): Promise<Id<'domain'>> {
  const id = newId('domain');
  const settings = {
    name,
    token: newToken(),
    policy: 'offered',
    connectionId: null,
    breakGlass: [] as string[],
  } as const;
  const own = store.collection(domains).in(of);
  await own.create(id, claim(id, settings, new Date()), cause);
  const check: Check = { outcome: 'present', problem: null, found: [], resolver: '192.0.2.1', error: null };
  const decide = (was: Domain | null) => was && conclude(was, { id, check, at: new Date() }, 'requested');
  await own.change(id, decide, { cause });
  domainDirectory.forget(name);
  return id;
}

async function lose(id: Id<'domain'>, of = tenantId): Promise<void> {
  const decide = (was: Domain | null) => was && release(id, was, { at: new Date(), because: 'requested' });
  const lost = await store.collection(domains).in(of).change(id, decide, { cause });
  domainDirectory.forget(lost?.state.name ?? '');
}

const chosen = async (asked: string) => (await directory.findActive(tenantId, asked))?.id ?? null;

const speaksFor = async (id: string, email: string) => {
  const domain = domainOf(email);
  return domain !== null && (await directory.speakerFor(tenantId, domain)) === id;
};

describe('a sign-in', () => {
  test('takes the connection that it asks for, of those that are active, oldest first', async () => {
    const [first, second] = [await connect(), await connect()];
    expect([await chosen(first), await chosen(second)]).toEqual([first, second]);
    expect((await directory.activeOf(tenantId)).map(({ id }) => id)).toEqual([first, second]);
  });

  test('takes none that is a draft, of another tenant, or not there', async () => {
    const unfinished = await connect([], { isActive: false });
    const elsewhere = await connect([], { of: newId('tenant') });
    for (const asked of [unfinished, elsewhere, newId('connection'), '']) expect(await chosen(asked)).toBeNull();
    directory.forget(tenantId);
    const ready = await connect();
    expect(await chosen(ready)).toBe(ready);
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
    const speaks = (email: string) => speaksFor(id, email);
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
    for (const id of [one, other]) expect(await speaksFor(id, 'ada@acme.example')).toBe(false);
  });

  test('does not speak for a domain of another tenant’s, nor as long as it is a draft', async () => {
    const elsewhere = await connect(['acme.example'], { of: newId('tenant') });
    const unfinished = await connect(['acme.example'], { isActive: false });
    for (const id of [elsewhere, unfinished]) expect(await speaksFor(id, 'ada@acme.example')).toBe(false);
  });

  test('speaks for a domain by the proof that it was given it for, while that lasts, and by no later one', async () => {
    const name = `${randomUUID()}.example`;
    const domainId = await prove(name);
    const id = await connect([name], { restingOn: domainId });
    const speaks = () => speaksFor(id, `ada@${name}`);
    expect(await speaks()).toBe(true);
    await lose(domainId);
    expect(await speaks()).toBe(false);
    await prove(name);
    expect(await speaks()).toBe(false);
  });

  test('does not speak for what another tenant has proven, by whomever it was said', async () => {
    const name = `${randomUUID()}.example`;
    const id = await connect([name]);
    const speaks = () => speaksFor(id, `ada@${name}`);
    expect(await speaks()).toBe(true);
    const elsewhere = newId('tenant');
    const domainId = await prove(name, elsewhere);
    expect(await speaks()).toBe(false);
    await lose(domainId, elsewhere);
    expect(await speaks()).toBe(true);
    await prove(name);
    expect(await speaks()).toBe(true);
  });
});
