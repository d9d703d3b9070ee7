// Settings that are changed while something else happens: what they were is kept, once and in order.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines, vaultKeyFile } from '@reeve/testing';
import { createVault, localKeyFile, type Vault, vaultCollections } from '@reeve/vault';
import { domains as domainsOf } from '../domains/domain.ts';
import { createDomainDirectory } from '../domains/domain-directory.ts';
import { asked } from './connection.test-support.ts';
import { type Connections, connections as connectionsOf, draft, update } from './connection.ts';
import { type ChangeConnection, createChangeConnection } from './connection-changes.ts';
import { createConnectionDirectory } from './connection-directory.ts';
import { formerRevisions, numberOf, type Revisions, revisions as revisionsOf } from './connection-revision.ts';
import { type ConnectionSecrets, createConnectionSecrets, secretNames } from './connection-secret.ts';
import { connectionSecretClass } from './kinds/kind.ts';

let store: Store;
let connections: Connections;
let revisions: Revisions;
let changeConnection: ChangeConnection;
let vault: Vault;
/** What happens between the secret of a change and the change itself. */
let beforeChange: () => Promise<void>;
let tenantId: TenantId;
let id: Id<'connection'>;
const cause = serviceCause('test', { correlationId: newEventId() });

beforeAll(async () => {
  const contents = { collections: [connectionsOf, revisionsOf, domainsOf, secretNames, ...vaultCollections] };
  const database = `changes_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
  connections = store.collection(connectionsOf);
  revisions = store.collection(revisionsOf);
  const domains = createDomainDirectory({ domains: store.collection(domainsOf) });
  const directory = createConnectionDirectory({ connections, domains });
  const keyFile = vaultKeyFile();
  vault = createVault({ store, keys: localKeyFile(keyFile.path) });
  keyFile.remove();
  const real = createConnectionSecrets({ vault, names: store.collection(secretNames) });
  const secrets: ConnectionSecrets = {
    ...real,
    async put(...asked) {
      await real.put(...asked);
      await beforeChange();
    },
  };
  changeConnection = createChangeConnection({ connections, revisions, secrets, directory, clock: store.clock });
});
afterAll(() => store.close());
beforeEach(async () => {
  tenantId = newId('tenant');
  id = newId('connection');
  beforeChange = async () => undefined;
  const drafted = draft(id, asked({ name: 'One' }));
  await connections.in(tenantId).create(id, drafted, cause);
});

const rename = (name: string, options: Partial<Parameters<ChangeConnection>[2]> = {}) =>
  changeConnection({ tenantId, id }, was => update(id, was, { name }), { cause, because: 'updated', ...options });
const present = async () => {
  const entry = await connections.in(tenantId).get(id);
  if (!entry) throw new Error('there is none');
  return entry.state;
};
const former = async () => {
  const found = await formerRevisions(revisions, { tenantId, connectionId: id }, numberOf(await present()));
  return found.map(({ number, name }) => `${number} ${name}`);
};

describe('what settings were', () => {
  test('is kept with who made them', async () => {
    await rename('Two');
    expect([numberOf(await present()), await former()]).toEqual([2, ['1 One']]);
    expect((await present()).revision).toMatchObject({ number: 2, by: { type: 'service', id: 'test' } });
  });

  test('is no revision of its own where a change was lost after it had been kept', async () => {
    beforeChange = () => Promise.reject(new Error('the process ends here'));
    await expect(rename('Two', { secret: 'a secret' })).rejects.toThrow('ends here');
    expect([(await present()).name, await former()]).toEqual(['One', []]);
    await rename('Three');
    expect([numberOf(await present()), await former()]).toEqual([2, ['1 One']]);
  });

  test('is kept of each of several changes at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map(name => rename(name)));
    const kept = await former();
    expect([numberOf(await present()), kept.length]).toEqual([5, 4]);
    const names = [(await present()).name, ...kept.slice(0, 3).map(one => one.slice(2))];
    expect(names.toSorted()).toEqual(['a', 'b', 'c', 'd']);
  });

  test('is not kept where nothing changes, nor of what is no setting', async () => {
    await rename('One');
    const secretSetAt = new Date().toISOString();
    const options = { cause, because: 'updated' } as const;
    await changeConnection({ tenantId, id }, was => update(id, was, { secretSetAt }), options);
    expect([numberOf(await present()), await former(), (await present()).secretSetAt]).toEqual([1, [], secretSetAt]);
  });

  test('is what it was when a change was made at last, however long that took', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { promise: isReady, resolve: ready } = Promise.withResolvers<void>();
    beforeChange = () => {
      ready();
      return promise;
    };
    const late = rename('Late', { secret: 'a secret' });
    await isReady;
    for (let number = 2; number <= 23; number += 1) await rename(`Name ${number}`);
    resolve();
    await late;
    expect(numberOf(await present())).toBe(24);
    expect((await former())[0]).toBe('23 Name 23');
    expect(await former()).toHaveLength(20);
  });
});

describe('a secret', () => {
  const secretOf = async (name: string | undefined) => {
    const read = vault.read(
      tenantId,
      { secretClass: connectionSecretClass, id: name ?? id },
      { cause, purpose: 'sign_in' },
    );
    return (await read.catch(() => null))?.toString('utf8') ?? null;
  };

  test('is that of the settings it was given with, whoever else changes them at that moment', async () => {
    const expectedVersion = (await connections.in(tenantId).get(id))?.version;
    const names = ['a', 'b', 'c', 'd'];
    const changes = names.map(name => rename(name, { secret: `the secret of ${name}`, expectedVersion }));
    const settled = await Promise.allSettled(changes);
    const made = names.filter((_, at) => settled[at]?.status === 'fulfilled');
    const { name, secretName } = await present();
    expect([made, await secretOf(secretName)]).toEqual([[name], `the secret of ${name}`]);
  });

  test('of a change that is refused is left nowhere', async () => {
    await rename('First', { secret: 'the first' });
    const { version = 0 } = (await connections.in(tenantId).get(id)) ?? {};
    await rename('Two', { secret: 'the second' });
    await expect(rename('Late', { secret: 'the late one', expectedVersion: version })).rejects.toThrow();
    const { secretName } = await present();
    expect(await secretOf(secretName)).toBe('the second');
    const known = await store.collection(secretNames).in(tenantId).get(id);
    expect(known?.state.names).toEqual([expect.any(String), secretName]);
  });

  test('that was replaced is there for who is on the way, and gone with the next change', async () => {
    await rename('Two', { secret: 'the second' });
    const second = (await present()).secretName;
    await rename('Three', { secret: 'the third' });
    const third = (await present()).secretName;
    expect([await secretOf(second), await secretOf(third)]).toEqual(['the second', 'the third']);
    await rename('Four', { secret: 'the fourth' });
    expect([await secretOf(second), await secretOf(third)]).toEqual([null, 'the third']);
  });

  test('is gone with its connection, under whichever name', async () => {
    const secrets = createConnectionSecrets({ vault, names: store.collection(secretNames) });
    await vault.put(tenantId, { secretClass: connectionSecretClass, id }, 'from before there were names', cause);
    await rename('Two', { secret: 'the second' });
    await rename('Three', { secret: 'the third' });
    const { secretName, formerSecretName } = await present();
    await secrets.forgetAll({ tenantId, connectionId: id, cause });
    expect(await Promise.all([id, secretName, formerSecretName].map(secretOf))).toEqual([null, null, null]);
  });
});
