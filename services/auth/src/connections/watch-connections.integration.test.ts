// Connections that are looked at when it is time, over a real store and a provider that publishes its metadata, with a
// clock that the test moves.
import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { X509CertificateGenerator } from '@peculiar/x509';
import { type Id, newEventId, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import { type Clock, openStore, type Store } from '@reeve/store';
import { engines, eventually, type MailServer, startMailServer, vaultKeyFile } from '@reeve/testing';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { createVault, localKeyFile, vaultCollections } from '@reeve/vault';
import { domains as domainsOf } from '../domains/domain.ts';
import { createDomainDirectory } from '../domains/domain-directory.ts';
import { createMailBudget, mailDays } from '../mail/mail-budget.ts';
import { createMailer, type Mailer } from '../mail/mailer.ts';
import { asked } from './connection.test-support.ts';
import {
  activate,
  type Connection,
  type Connections,
  connections as connectionsOf,
  draft,
  remove,
} from './connection.ts';
import { createChangeConnection } from './connection-changes.ts';
import { createConnectionDirectory } from './connection-directory.ts';
import { formerRevisions, type Revisions, revisions as revisionsOf } from './connection-revision.ts';
import { createConnectionSecrets, secretNames } from './connection-secret.ts';
import { type Watches, wakeWatch, watches as watchesOf } from './connection-watch.ts';
import { createKinds, type Kinds, recordsOfKinds } from './kinds/registry.ts';
import { createRefreshMetadata, type RefreshMetadata } from './metadata-refresh.ts';
import { type MetadataServer, startMetadataServer } from './metadata-server.test-support.ts';
import { watchConnections } from './watch-connections.ts';

type Told = { type: string; tenantId: TenantId; data: { reason: { code: string }; details: Record<string, unknown> } };

let idp: SamlIdentityProvider;
let metadata: MetadataServer;
let store: Store;
let connections: Connections;
let revisions: Revisions;
let watches: Watches;
let kinds: Kinds;
let refreshMetadata: RefreshMetadata;
let tenantId: TenantId;
let aheadMs = 0;
const clock: Clock = { now: () => new Date(Date.now() + aheadMs), newEventId };
const [minute, hour, day] = [60_000, 3_600_000, 86_400_000];
const cause = serviceCause('test', { correlationId: newEventId() });
const running: { stop(): Promise<void> }[] = [];
const errors: unknown[] = [];
const published: Told[] = [];

beforeAll(async () => {
  const contents = {
    collections: [connectionsOf, revisionsOf, watchesOf, domainsOf, mailDays, secretNames, ...vaultCollections],
    platformRecords: recordsOfKinds,
  };
  const database = `watches_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents, clock });
  await store.prepare();
  store.startPublishing({
    publish: async messages => void published.push(...messages.map(({ event }) => event as unknown as Told)),
    findPublished: () => Promise.resolve(new Set<string>()),
    once: false,
  });
  connections = store.collection(connectionsOf);
  revisions = store.collection(revisionsOf);
  watches = store.collection(watchesOf);
});
beforeEach(async () => {
  tenantId = newId('tenant');
  aheadMs = 0;
  idp = await startSamlIdentityProvider();
  metadata = await startMetadataServer(idp.metadataXml());
  const allowedPrivateOrigins = [idp.url, metadata.origin];
  const network = createGuardedNetwork({ allowedPrivateOrigins, timeoutMs: 500 });
  const keyFile = vaultKeyFile();
  const vault = createVault({ store, keys: localKeyFile(keyFile.path) });
  keyFile.remove();
  kinds = createKinds({ vault, network, store, clock, ownIssuer: 'https://reeve.example' });
  const directory = createConnectionDirectory({
    connections,
    domains: createDomainDirectory({ domains: store.collection(domainsOf) }),
  });
  const secrets = createConnectionSecrets({ vault, names: store.collection(secretNames) });
  const changeConnection = createChangeConnection({ connections, revisions, secrets, directory, clock });
  refreshMetadata = createRefreshMetadata({ kinds, changeConnection, clock });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(one => one.stop()));
  await Promise.all([idp.stop(), metadata.stop()]);
  expect(errors.splice(0)).toEqual([]);
});
afterAll(() => store.close());

function startWatching(with_: Partial<Parameters<typeof watchConnections>[0]> = {}) {
  const rhythm = { refreshEveryMs: 6 * hour, random: () => 0.5 };
  const mailBudget = createMailBudget({ days: store.collection(mailDays), clock });
  const parts = { watches, connections, kinds, refreshMetadata, mailer: null, mailBudget, clock, ...rhythm };
  const onError = (error: unknown) => void errors.push(error);
  const watching = watchConnections({ ...parts, everyMs: 50, onError, ...with_ });
  running.push(watching);
  watching.start();
}

async function connect(saml: object): Promise<Id<'connection'>> {
  const id = newId('connection');
  const { settings, issuer } = await kinds.saml.prepare(saml, null);
  const createdAt = clock.now().toISOString();
  const drafted = draft(id, asked({ name: 'Acme', kind: 'saml', settings, issuer, secretSetAt: createdAt, createdAt }));
  await connections.in(tenantId).create(id, drafted, cause);
  await wakeWatch(watches, { tenantId, id }, { asked: 'look', clock });
  return id;
}

const stateOf = async (id: string) => {
  const entry = await connections.in(tenantId).get(id);
  if (!entry) throw new Error('the connection is gone');
  return entry.state;
};
const watchOf = async (id: string) => (await watches.in(tenantId).get(id))?.state;
const idpOf = async (id: string) =>
  (await stateOf(id)).settings as { idp: { certificates: string[]; entityId: string } };
const certificatesOf = async (id: string) => (await idpOf(id)).idp.certificates.map(fingerprint);
const fingerprint = (pem: string) =>
  `sha256:${new X509Certificate(pem).fingerprint256.replaceAll(':', '').toLowerCase()}`;
const told = (type: string) => published.filter(one => one.tenantId === tenantId && one.type === type);
const warned = () => told('connection.certificate_expiring').map(({ data }) => data.details);

/** Until nothing of it is due any more. */
const settled = (id: string) =>
  eventually('it was looked at', async () => {
    const watch = await watchOf(id);
    return watch?.lease === null && watch.again === null && (watch.dueAt ?? '9') > clock.now().toISOString();
  });
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

describe('what ends', () => {
  test('is told 30, 14, 7 and 1 days ahead and when it is over, once, by whichever of two processes', async () => {
    const id = await connect({ metadataXml: idp.metadataXml() });
    const endsAt = Date.parse(new X509Certificate(idp.certificate()).validTo);
    startWatching();
    startWatching();
    await settled(id);
    expect(warned()).toEqual([]);
    const days = [30, 14, 7, 1, 0];
    for (const [index, left] of days.entries()) {
      aheadMs = endsAt - left * day - Date.now() + minute;
      await eventually(`the warning ${left} days ahead`, () => warned().length > index);
      await settled(id);
      await pause(150);
    }
    const name = fingerprint(idp.certificate());
    const expiresAt = new Date(endsAt).toISOString();
    expect(warned()).toEqual(days.map(daysLeft => ({ what: 'certificate', name, expiresAt, daysLeft })));
    expect(told('connection.certificate_expiring').map(({ data }) => data.reason.code)).toEqual([
      ...days.slice(1).map(() => 'expires_soon'),
      'expired',
    ]);
  }, 60_000);

  test('is the last of several certificates, and the metadata by itself', async () => {
    const validUntil = new Date(Date.now() + 3 * day).toISOString();
    const xml = idp.metadataXml().replace('entityID=', `validUntil="${validUntil}" entityID=`);
    await connect({ metadataXml: xml });
    startWatching();
    await eventually('the warning', () => warned().length > 0);
    expect(warned()).toEqual([{ what: 'metadata', name: idp.entityId, expiresAt: validUntil, daysLeft: 3 }]);
  });

  test('of a connection that is deleted is nobody’s concern', async () => {
    const id = await connect({ metadataXml: idp.metadataXml() });
    startWatching();
    await settled(id);
    await connections.in(tenantId).change(id, was => was && remove(id, was, clock.now()), { cause });
    aheadMs = 360 * day;
    await eventually('it is not watched any more', async () => (await watchOf(id)) === undefined);
    expect(warned()).toEqual([]);
  });

  test('is told of connections that were there before anybody watched', async () => {
    const id = await connect({ metadataXml: idp.metadataXml() });
    await watches.in(tenantId).remove(id);
    aheadMs = 340 * day;
    startWatching();
    await eventually('the warning', () => warned().length === 1);
    await settled(id);
  });
});

describe('contacts of a connection', () => {
  let server: MailServer;
  let mailer: Mailer;
  const made: Id<'connection'>[] = [];
  beforeEach(async () => {
    server = await startMailServer();
    mailer = createMailer({ url: server.url, from: 'Acme <no-reply@acme.example>', timeoutMs: 500 });
  });
  afterEach(async () => {
    // Another test has another server.
    await Promise.all(running.splice(0).map(one => one.stop()));
    for (const id of made.splice(0))
      await connections.in(tenantId).change(id, was => was && remove(id, was, new Date()), { cause });
    mailer.close();
    await server.stop();
  });

  /** In use, with a certificate that ends in so many days. */
  async function endingIn(days: number, contacts: string[] = ['it@acme.example', 'eve@acme.example']) {
    const id = await connect({ metadataXml: idp.metadataXml() });
    made.push(id);
    const active = (was: Connection) => activate(id, { ...was, name: 'Acme Keycloak', contacts });
    await connections.in(tenantId).change(id, was => was && active(was), { cause });
    const endsAt = Date.parse(new X509Certificate(idp.certificate()).validTo);
    aheadMs = endsAt - days * day - Date.now() + minute;
    return id;
  }
  const owedOf = async (id: string) => (await watchOf(id))?.mail.owed;
  const messageId = (source: string) => /^Message-ID: (.*)$/im.exec(source)?.[1];
  /** Errors that are part of the test. */
  const failures = () => errors.splice(0).map(error => (error as { responseCode?: number }).responseCode ?? 'none');

  test('get one mail for each warning, whichever of two processes finds it', async () => {
    const id = await endingIn(7);
    startWatching({ mailer });
    startWatching({ mailer });
    await eventually('the mail', () => server.received.length === 1);
    await settled(id);
    const [mail] = server.received;
    expect(mail).toMatchObject({ from: 'no-reply@acme.example', to: ['it@acme.example', 'eve@acme.example'] });
    const source = mail?.source.replaceAll('=\r\n', '');
    expect(source).toContain('Subject: Single sign-on: something ends soon');
    expect(source).toContain('the connection "Acme Keycloak"');
    expect(source).toContain(fingerprint(idp.certificate()));
    aheadMs += 6 * day;
    await eventually('the mail of the last day', () => server.received.length === 2);
    await settled(id);
    expect(warned().map(({ daysLeft }) => daysLeft)).toEqual([7, 1]);
    expect(new Set(server.received.map(({ source }) => messageId(source))).size).toBe(2);
  }, 30_000);

  test('are told again when the server could not take it, by the same mail, and others are not held up', async () => {
    server.behaves({ refusesWith: 451 });
    const id = await endingIn(7);
    startWatching({ mailer });
    await eventually('a try', async () => (await owedOf(id))?.failures === 1);
    const owed = await owedOf(id);
    expect(failures()).toEqual([451]);
    server.behaves({});
    aheadMs += 2 * minute;
    await eventually('the mail', () => server.received.length === 1);
    expect(messageId(server.received[0]?.source ?? '')).toBe(`<${owed?.id}@acme.example>`);
    await settled(id);
    expect(await owedOf(id)).toBeNull();
  });

  test('are told later by a server that says nothing or is not there', async () => {
    server.behaves({ isSilent: true });
    const id = await endingIn(7);
    startWatching({ mailer });
    await eventually('a try', async () => (await owedOf(id))?.failures === 1);
    await server.stop();
    aheadMs += 2 * minute;
    await eventually('another', async () => (await owedOf(id))?.failures === 2);
    expect(failures()).toEqual(['none', 'none']);
    expect(warned()).toHaveLength(1);
    server = await startMailServer();
  });

  test('that the server will never take are not tried again', async () => {
    server.behaves({ refusesWith: 550 });
    const id = await endingIn(7);
    startWatching({ mailer });
    await eventually('the try', async () => (await watchOf(id))?.mail.sentAt !== null);
    await settled(id);
    aheadMs += 2 * hour;
    await settled(id);
    await pause(200);
    expect([server.tries(), await owedOf(id)]).toEqual([2, null]);
    expect(failures()).toEqual([550]);
  });

  test('that were taken out before the mail went are not told; whoever is named in their place is', async () => {
    server.behaves({ refusesWith: 451 });
    const id = await endingIn(7);
    startWatching({ mailer });
    await eventually('a try', async () => (await owedOf(id))?.failures === 1);
    failures();
    await connections.in(tenantId).change(id, was => was && { state: { ...was, contacts: [] }, events: [] }, { cause });
    server.behaves({});
    aheadMs += 2 * minute;
    await eventually('it waits', async () => ((await owedOf(id))?.at ?? '').endsWith('T00:00:00.000Z'));
    expect(server.received).toEqual([]);
    const contacts = ['new@acme.example'];
    await connections.in(tenantId).change(id, was => was && { state: { ...was, contacts }, events: [] }, { cause });
    aheadMs += day;
    await eventually('the mail', () => server.received.length === 1);
    expect(server.received[0]?.to).toEqual(contacts);
  });

  test('get fifty mails a day of all connections of a tenant, and the others on the next', async () => {
    const contacts = Array.from({ length: 5 }, (_, index) => `stranger${index}@victim.example`);
    const ids: string[] = [];
    for (let index = 0; index < 11; index += 1) ids.push(await endingIn(7, contacts));
    startWatching({ mailer });
    startWatching({ mailer });
    await eventually('a day of mails', () => server.received.length === 10);
    for (const id of ids) await settled(id);
    expect(server.received).toHaveLength(10);
    aheadMs += day;
    await eventually('the others', () => server.received.length === 11);
    for (const id of ids) await settled(id);
    expect([server.received.length, server.tries()]).toEqual([11, 55]);
  }, 30_000);

  test('are none of a connection that has none', async () => {
    const id = await endingIn(7, []);
    startWatching({ mailer });
    await eventually('the warning', () => warned().length === 1);
    await settled(id);
    expect(server.tries()).toBe(0);
  });
});

describe('metadata that is read again', () => {
  test('brings the keys that it names, old and new as long as it names both, and tells what changed', async () => {
    const id = await connect({ metadataUrl: metadata.url });
    const old = fingerprint(idp.certificate());
    startWatching();
    await settled(id);
    expect(metadata.asked()).toBe(1);
    aheadMs = 7 * hour;
    await eventually('it was read', () => metadata.asked() === 2);
    await settled(id);
    expect(told('connection.metadata_refreshed')).toEqual([]);

    await idp.changesItsKeys({ keepOld: true });
    const fresh = fingerprint(idp.certificate());
    metadata.says(idp.metadataXml());
    aheadMs = 14 * hour;
    await eventually('both keys', async () => (await certificatesOf(id)).length === 2);
    await settled(id);
    expect(await certificatesOf(id)).toEqual([fresh, old]);

    metadata.says(
      idp
        .metadataXml()
        .replace(/(<md:KeyDescriptor.*?<\/md:KeyDescriptor>)<md:KeyDescriptor.*?<\/md:KeyDescriptor>/s, '$1'),
    );
    aheadMs = 21 * hour;
    await eventually('the new key alone', async () => (await certificatesOf(id)).length === 1);
    await settled(id);
    expect(await certificatesOf(id)).toEqual([fresh]);
    await eventually('both events', () => told('connection.metadata_refreshed').length === 2);
    const changed = ['certificates'];
    expect(told('connection.metadata_refreshed').map(({ data }) => data)).toMatchObject([
      { reason: { code: 'scheduled' }, details: { changed, certificatesAdded: [fresh], certificatesRemoved: [] } },
      { reason: { code: 'scheduled' }, details: { changed, certificatesAdded: [], certificatesRemoved: [old] } },
    ]);
    expect((await stateOf(id)).revision).toMatchObject({ number: 3, because: 'metadata_refreshed' });
    expect(await formerRevisions(revisions, { tenantId, connectionId: id }, 3)).toHaveLength(2);
  }, 30_000);

  test('of which only the time that it is good for has moved is taken without a word', async () => {
    const until = (ahead: number) => new Date(Date.now() + ahead).toISOString();
    const good = (for_: number) => idp.metadataXml().replace('entityID=', `validUntil="${until(for_)}" entityID=`);
    metadata.says(good(10 * day));
    const id = await connect({ metadataUrl: metadata.url });
    startWatching();
    await settled(id);
    for (const days of [1, 2, 3, 4, 5]) {
      metadata.says(good((10 + days) * day));
      aheadMs = days * day;
      await eventually('it was read', () => metadata.asked() === 1 + days);
      await settled(id);
    }
    expect([told('connection.metadata_refreshed'), warned()]).toEqual([[], []]);
    expect((await stateOf(id)).revision).toBeUndefined();
  }, 30_000);

  const weakKey = async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
    const keys = {
      publicKey: await crypto.subtle.importKey(
        'spki',
        publicKey.export({ type: 'spki', format: 'der' }),
        algorithm,
        true,
        ['verify'],
      ),
      privateKey: await crypto.subtle.importKey(
        'pkcs8',
        privateKey.export({ type: 'pkcs8', format: 'der' }),
        algorithm,
        true,
        ['sign'],
      ),
    };
    const made = await X509CertificateGenerator.createSelfSigned({
      name: 'CN=weak',
      signingAlgorithm: algorithm,
      keys,
    });
    return made.toString('base64');
  };

  test.each<[string, string, string, (xml: string) => Parameters<MetadataServer['says']>[0] | Promise<string>]>([
    [
      'another identity provider',
      'metadata_moved',
      'https://evil.example',
      xml => xml.replace(/entityID="[^"]*"/, 'entityID="https://evil.example"'),
    ],
    [
      'another host to sign in at',
      'metadata_moved',
      'evil.example',
      xml => xml.replaceAll(`${idp.url}/sso`, 'https://evil.example/sso'),
    ],
    [
      'another port of the same machine',
      'metadata_moved',
      ':1',
      xml => xml.replaceAll(idp.url, 'http://127.0.0.1:1').replace(/entityID="[^"]*"/, `entityID="${idp.entityId}"`),
    ],
    [
      'another host to log out at',
      'metadata_moved',
      'evil.example',
      xml => xml.replaceAll(`${idp.url}/slo`, 'https://evil.example/slo'),
    ],
    [
      'a key that anybody can break',
      'metadata_invalid',
      '2048',
      async xml => xml.replace(/(<ds:X509Certificate>)[^<]*/g, `$1${await weakKey()}`),
    ],
    [
      'no key at all',
      'metadata_invalid',
      'certificate',
      xml => xml.replace(/<md:KeyDescriptor.*<\/md:KeyDescriptor>/s, ''),
    ],
    [
      'a document type',
      'metadata_invalid',
      'document type',
      xml => `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${xml}`,
    ],
    ['ten megabytes', 'url_refused', 'larger', xml => xml.replace('</md:IDP', `${' '.repeat(10_000_000)}</md:IDP`)],
    [
      'a time that is over',
      'metadata_invalid',
      'counted until',
      xml => xml.replace('entityID=', 'validUntil="2020-01-01T00:00:00Z" entityID='),
    ],
    ['nothing, for ever', 'connection_unreachable', 'fetched', () => 'silence'],
    ['an error', 'connection_unreachable', '503', () => 503],
    ['a page for people', 'metadata_invalid', 'read', () => '<!doctype html><p>Sign in'],
  ])(
    'with %s is not taken: what is there stays, and its administrators are told',
    async (_, code, detail, lie) => {
      const id = await connect({ metadataUrl: metadata.url });
      const before = await stateOf(id);
      startWatching();
      await settled(id);
      await idp.changesItsKeys({ keepOld: true });
      metadata.says(await lie(idp.metadataXml()));
      aheadMs = 7 * hour;
      await eventually('the refusal', () => told('connection.metadata_refused').length > 0);
      await settled(id);
      const { refreshProblem, ...after } = await stateOf(id);
      expect(after).toEqual(before);
      expect(refreshProblem).toMatchObject({ code, detail: expect.stringContaining(detail) });

      // Again and again, and told once.
      const asked = metadata.asked();
      aheadMs = 8 * hour;
      await eventually('it was tried again', () => metadata.asked() > asked);
      await settled(id);
      expect(told('connection.metadata_refused')).toHaveLength(1);
      expect((await stateOf(id)).refreshProblem?.since).toBe(refreshProblem?.since);

      metadata.says(idp.metadataXml());
      aheadMs = 24 * hour;
      await eventually('what is honest', async () => (await certificatesOf(id)).length === 2);
      await settled(id);
      expect((await stateOf(id)).refreshProblem ?? null).toBeNull();
    },
    30_000,
  );

  test('is asked for ever more rarely while it fails', async () => {
    const id = await connect({ metadataUrl: metadata.url });
    startWatching();
    await settled(id);
    metadata.says(500);
    aheadMs = 7 * hour;
    const inMinutes = async () =>
      Math.round((Date.parse((await watchOf(id))?.refresh?.at ?? '') - clock.now().getTime()) / minute);
    const waits: number[] = [];
    for (let tries = 1; tries <= 4; tries += 1) {
      await eventually(`try ${tries}`, async () => (await watchOf(id))?.refresh?.failures === tries);
      waits.push(await inMinutes());
      aheadMs += (waits.at(-1) ?? 0) * minute + 1_000;
    }
    expect(waits).toEqual([1, 2, 4, 8]);
  }, 30_000);

  test('does not overwrite what an administrator has set meanwhile', async () => {
    const id = await connect({ metadataUrl: metadata.url });
    startWatching({
      async refreshMetadata(asked) {
        const decide = (was: Connection | null) => was && { state: { ...was, name: 'Renamed' }, events: [] };
        if ((await stateOf(id)).name === 'Acme') await connections.in(tenantId).change(id, decide, { cause });
        return refreshMetadata(asked);
      },
    });
    await settled(id);
    await idp.changesItsKeys({ keepOld: true });
    metadata.says(idp.metadataXml());
    aheadMs = 7 * hour;
    await eventually('it was refused', () => errors.length > 0);
    expect(errors.splice(0)).toMatchObject([{ name: 'VersionConflictError' }]);
    expect(await certificatesOf(id)).toHaveLength(1);
    aheadMs += 2 * minute;
    await eventually('the next turn', async () => (await certificatesOf(id)).length === 2);
    expect((await stateOf(id)).name).toBe('Renamed');
  }, 30_000);

  test('is read by one process, and by another when that one is lost, which then says nothing', async () => {
    const id = await connect({ metadataUrl: metadata.url });
    startWatching();
    await settled(id);
    await running.pop()?.stop();
    await idp.changesItsKeys({ keepOld: true });
    metadata.says(idp.metadataXml());
    const lost = Promise.withResolvers<void>();
    startWatching({
      async refreshMetadata(asked) {
        await lost.promise;
        return refreshMetadata(asked);
      },
    });
    aheadMs = 7 * hour;
    await eventually('it is taken', async () => (await watchOf(id))?.lease !== null);
    startWatching();
    await pause(300);
    expect(metadata.asked()).toBe(1);
    aheadMs += 61_000;
    await eventually('the other one has read it', async () => (await certificatesOf(id)).length === 2);
    await settled(id);
    const watch = await watchOf(id);
    lost.resolve();
    await eventually('the lost one has ended', () => errors.length > 0);
    expect(errors.splice(0)).toMatchObject([{ name: 'VersionConflictError' }]);
    expect(await watchOf(id)).toEqual(watch);
    expect(told('connection.metadata_refreshed')).toHaveLength(1);
  }, 30_000);
});
