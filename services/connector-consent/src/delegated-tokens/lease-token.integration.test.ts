// Who gets the token that a person delegated, and until when.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { type Ask, callers, eventually } from '@reeve/testing';
import { createVault, openKeyManagement } from '@reeve/vault';
import {
  approved,
  type Consenting,
  connected,
  newTenant,
  opened,
  secretOf,
  startConnectorConsent,
  tokenDestroyed,
} from '../connector-consent.test-support.ts';
import { consents } from '../consents/consent.ts';
import { contents } from '../contents.ts';
import { installations } from '../installations/installation.ts';
import { createDelegatedTokens, delegatedTokens } from './delegated-tokens.ts';
import { leaseToken } from './lease-token.ts';

type Installed = Awaited<ReturnType<typeof connected>>;
type Lease = { accessToken: string | null; scopes: string[]; expiresAt: string | null; code?: string };

let service: Consenting;
let tenant: { id: TenantId; slug: string };
let installed: Installed;
/** The service's own database, for what only time or an earlier version brings about. */
let store: Store;

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = service.config;
  store = openStore({ uri, database, source: '/test', contents });
}, 60_000);
afterAll(async () => {
  await store.close();
  await service.stop();
});
beforeEach(async () => {
  installed = await connected(service, tenant.id);
});

const lease = ({ as = callers.tenantClient(tenant.id), ...asked }: Ask = {}, { path, who } = installed) =>
  service.ask<Lease>('POST', `${path}/token`, { as, body: { userId: who.sub }, ...asked });

const cause = serviceCause('test', { correlationId: 'c' });
const vaultOf = () => createVault({ store, keys: openKeyManagement(service.config) });

/** Makes the token one that was stored before tokens named the answer that they rest on. */
async function asStoredBefore({ consent: { id } }: Installed): Promise<void> {
  const set = { accessToken: 'access-of-before', refreshToken: null };
  await vaultOf().put(tenant.id, { secretClass: 'delegated-token/calendar', id }, JSON.stringify(set), cause);
  const tokens = store.collection(delegatedTokens).in(tenant.id);
  const { consentVersion: _, ...before } = (await tokens.get(id))?.state ?? {};
  await tokens.patch([id], delegatedTokens.upgrade?.(before, 1) ?? {});
}

const nothing = { status: 404, body: { code: 'not_found' } };

describe('a lease', () => {
  test('is of the access token alone, and on the record of the connector and of the vault', async () => {
    const as = callers.tenantClient(tenant.id);
    const { status, body } = await lease({ as });
    expect([status, body]).toEqual([
      200,
      { accessToken: expect.stringMatching(/^access-of-/), scopes: ['read', 'write'], expiresAt: expect.any(String) },
    ]);
    const { id } = installed.consent;
    const actor = { type: 'client', id: as.sub };
    expect(await service.events.seen(tenant.id, 'delegated_token.leased', id)).toMatchObject({ data: { actor } });
    expect(await service.events.seen(tenant.id, 'secret.accessed', secretOf(id))).toMatchObject({
      data: { actor, reason: { code: 'lease' } },
    });
  });

  test('is there sixty times at once, each time on the record', async () => {
    const all = await Promise.all(Array.from({ length: 60 }, () => lease()));
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 200));
    const recorded = () =>
      service.events
        .of(tenant.id)
        .filter(({ type, data }) => type === 'delegated_token.leased' && data.target.id === installed.consent.id);
    await eventually('every lease on the record', () => recorded().length >= 60);
    expect(recorded().length).toBe(60);
  });

  test('is for clients whose areas contain it, and for no others', async () => {
    const limitedTo = (...areas: string[]) => ({ ...callers.tenantClient(tenant.id), areas });
    for (const areas of [['connectors'], ['connectors', 'webhooks', 'audit'], []])
      expect(await lease({ as: limitedTo(...areas) })).toMatchObject({ status: 403, body: { code: 'access_denied' } });
    expect((await lease({ as: limitedTo('delegated-tokens') })).status).toBe(200);
    expect((await lease({ as: callers.tenantClient(tenant.id) })).status).toBe(200);
    const denied = await service.events.seen(tenant.id, 'access.denied', 'delegated-tokens:lease');
    expect(denied.data.reason.code).toBe('no_rule_permits');
  });

  test('is not for members, and not for other tenants', async () => {
    const member = callers.person(tenant.id, { id: installed.who.sub, roles: ['tenant_member'] });
    expect(await lease({ as: member })).toMatchObject({ status: 403 });
    const elsewhere = await newTenant(service);
    expect(await lease({ as: callers.tenantClient(elsewhere.id) })).toMatchObject(nothing);
    expect((await lease()).status).toBe(200);
  });

  test('is there for whoever has consented, and nobody else', async () => {
    expect(await lease({ body: { userId: newId('user') } })).toMatchObject(nothing);
    expect(await lease({ body: { userId: 'ada' } })).toMatchObject({ status: 400, body: { code: 'input_invalid' } });
    const { path } = await approved(service, tenant.id);
    expect(await lease({}, { ...installed, path })).toMatchObject(nothing);
    expect((await lease()).status).toBe(200);
  });

  test('repeated under its Idempotency-Key does not show the token again', async () => {
    const asked = { as: callers.tenantClient(tenant.id), headers: { 'idempotency-key': newId('request') } };
    expect((await lease(asked)).body.accessToken).toMatch(/^access-of-/);
    expect((await lease(asked)).body).toMatchObject({ accessToken: null, scopes: ['read', 'write'] });
  });

  test('ends with the time that the consent was given for', async () => {
    const { id } = installed.consent;
    const until = (ms: number) =>
      store
        .collection(consents)
        .in(tenant.id)
        .patch([id], { until: new Date(Date.now() + ms).toISOString() });
    // The consent gets another version by this.
    await asStoredBefore(installed);
    await until(60_000);
    expect((await lease()).status).toBe(200);
    await until(-1);
    const list = await service.ask<{ items: { status: string }[] }>('GET', `${installed.path}/consents`, {
      as: callers.tenantClient(tenant.id),
    });
    expect(list.body.items).toMatchObject([{ status: 'expired' }]);
    expect(await lease()).toMatchObject(nothing);
  });

  test('is not of a token that was given for an earlier answer', async () => {
    const tokens = store.collection(delegatedTokens).in(tenant.id);
    await tokens.patch([installed.consent.id], { consentVersion: 7 });
    expect(await lease()).toMatchObject(nothing);
    // One that was stored before this was kept counts as long as its consent does.
    await asStoredBefore(installed);
    expect((await lease()).body.accessToken).toBe('access-of-before');
  });
});

describe('a lease whose ground ends meanwhile', () => {
  const as = () => callers.tenantClient(tenant.id);
  const revoke = () => service.ask('POST', `${installed.path}/consents/${installed.consent.id}:revoke`, { as: as() });
  type Meanwhile = () => Promise<unknown>;
  const none: Meanwhile = () => Promise.resolve();

  /** What comes when the token was found, and when its lease was recorded: no request can be made to hit that. */
  function leaseWhile({ found = none, recorded = none }: { found?: Meanwhile; recorded?: Meanwhile } = {}) {
    const vault = vaultOf();
    const parts = { installations: store.collection(installations), consents: store.collection(consents) };
    const tokens = createDelegatedTokens({
      ...parts,
      tokens: store.collection(delegatedTokens),
      vault: { ...vault, read: (...asked) => found().then(() => vault.read(...asked)) },
      store: {
        async recordFact(...fact) {
          await store.recordFact(...fact);
          await recorded();
        },
      },
    });
    const route = leaseToken({ ...parts, clock: store.clock, delegatedTokens: tokens });
    const asked = {
      tenantId: tenant.id,
      params: { installationId: installed.id },
      body: { userId: installed.who.sub },
    };
    return route.handle({ ...asked, cause } as unknown as Parameters<typeof route.handle>[0]);
  }

  test.each([
    ['the consent was revoked', revoke],
    ['the connector was uninstalled', () => service.ask('POST', `${installed.path}:uninstall`, { as: as() })],
  ])('gives nothing once it was answered that %s', async (_, end) => {
    await expect(leaseWhile({ recorded: end })).rejects.toMatchObject({ code: 'not_found' });
    installed = await connected(service, tenant.id);
    expect(await leaseWhile()).toMatchObject({ body: { accessToken: expect.stringMatching(/^access-of-/) } });
  });

  test('gives nothing when the token was destroyed, and is not on the record as if it had', async () => {
    const found = () => revoke().then(() => tokenDestroyed(service.events, tenant.id, installed.consent.id));
    const recorded = () => Promise.reject(new Error('recorded'));
    await expect(leaseWhile({ found, recorded })).rejects.toMatchObject({ code: 'not_found' });
  });
});

test('a person has another token for each installation', async () => {
  const { path, consentUrl } = await approved(service, tenant.id);
  const { browser, shown } = await opened(service, consentUrl, { who: installed.who });
  await browser.submit(shown, { scope: ['read'], answer: 'allow' });
  const first = await lease({}, { ...installed, path });
  expect(first.body.scopes).toEqual(['read']);
  const other = await lease();
  expect(other.body.accessToken).not.toBe(first.body.accessToken);
});
