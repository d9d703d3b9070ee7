// Consents and tokens end by the events of what they rest on, whichever path those came about by.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { event, type Id, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { callers } from '@reeve/testing';
import {
  type Consenting,
  connected,
  consentsOf,
  lease,
  newTenant,
  secretOf,
  startConnectorConsent,
  tokenDestroyed,
} from '../connector-consent.test-support.ts';
import { contents } from '../contents.ts';
import { delegatedTokens } from '../delegated-tokens/delegated-tokens.ts';
import { installations, uninstall } from '../installations/installation.ts';
import { consents, revoke } from './consent.ts';

let service: Consenting;
let tenant: { id: TenantId; slug: string };
/** As a process that writes, and is gone before it has published or done anything else. */
let crashed: Store;

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = service.config;
  crashed = openStore({ uri, database, source: '/reeve/connector-consent', contents });
}, 60_000);
afterAll(async () => {
  await crashed.close();
  await service.stop();
});

const cause = serviceCause('test', { correlationId: 'c' });
const countOf = (type: string, targetId: string) =>
  service.events.of(tenant.id).filter(one => one.type === type && one.data.target.id === targetId).length;

describe('uninstalling', () => {
  test('ends every consent and destroys every token, and nobody leases one from that moment on', async () => {
    const { id, path, who, consent } = await connected(service, tenant.id);
    const as = callers.tenantClient(tenant.id);
    const uninstalled = await service.ask<{ status: string }>('POST', `${path}:uninstall`, { as });
    expect(uninstalled.body.status).toBe('uninstalled');
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    const destroyed = await tokenDestroyed(service.events, tenant.id, consent.id);
    expect(destroyed.data.details).toMatchObject({ installationId: id, cause: 'uninstalled' });
    expect(await consentsOf(service, tenant.id, path)).toMatchObject([{ status: 'revoked' }]);
    const [told, ended] = [
      await service.events.seen(tenant.id, 'installation.uninstalled', id),
      await service.events.seen(tenant.id, 'consent.revoked', consent.id),
    ];
    expect(ended).toMatchObject({ causationId: told.id, correlationId: told.correlationId });
  });

  test('does so by its event alone, when the process was gone after it had written the change', async () => {
    const { id, path, who, consent } = await connected(service, tenant.id);
    const change = await crashed
      .collection(installations)
      .in(tenant.id)
      .change(id, found => found && uninstall(id, found), { cause });
    expect(change?.state.status).toBe('uninstalled');
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    await tokenDestroyed(service.events, tenant.id, consent.id);
    expect(await consentsOf(service, tenant.id, path)).toMatchObject([{ status: 'revoked' }]);
  });

  test('leaves other installations as they are, and a second time changes nothing', async () => {
    const [one, other] = [await connected(service, tenant.id), await connected(service, tenant.id)];
    const as = callers.tenantClient(tenant.id);
    await service.ask('POST', `${one.path}:uninstall`, { as });
    await service.ask('POST', `${one.path}:uninstall`, { as });
    await tokenDestroyed(service.events, tenant.id, one.consent.id);
    expect(countOf('installation.uninstalled', one.id)).toBe(1);
    expect((await lease(service, tenant.id, other)).status).toBe(200);
  });
});

describe('a revoked consent', () => {
  test('takes its token with it by its event alone, when the process was gone after it had written it', async () => {
    const { path, who, consent } = await connected(service, tenant.id);
    await crashed
      .collection(consents)
      .in(tenant.id)
      .change(consent.id, found => found && revoke(consent.id, found, 'requested'), { cause });
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    await tokenDestroyed(service.events, tenant.id, consent.id);
  });

  test('takes a token with it whose storing was never finished', async () => {
    const { path, consent } = await connected(service, tenant.id);
    const tokens = crashed.collection(delegatedTokens).in(tenant.id);
    const stored = await tokens.get(consent.id);
    if (stored) await tokens.put(consent.id, { ...stored.state, status: 'storing' });
    await service.ask('POST', `${path}/consents/${consent.id}:revoke`, { as: callers.tenantClient(tenant.id) });
    await service.events.seen(tenant.id, 'secret.destroyed', secretOf(consent.id));
  });
});

describe('the end of a person', () => {
  const ends = (type: 'user.deactivated' | 'user.deleted', id: Id<'user'>) =>
    service.announcer.announce(
      tenant.id,
      event(type, { id, because: 'requested', details: { email: null, source: 'admin', cause: 'requested' } }),
    );

  test.each([
    ['user.deactivated', 'user_deactivated'],
    ['user.deleted', 'user_deleted'],
  ] as const)('by %s ends all their consents, and nobody else’s', async (type, why) => {
    const first = await connected(service, tenant.id);
    const second = await connected(service, tenant.id, first.who);
    const other = await connected(service, tenant.id);
    await ends(type, first.who.sub);
    for (const { consent, path } of [first, second]) {
      await tokenDestroyed(service.events, tenant.id, consent.id);
      expect(await service.events.seen(tenant.id, 'consent.revoked', consent.id)).toMatchObject({
        data: { actor: { type: 'service', id: 'connector-consent' }, reason: { code: why }, details: { cause: why } },
      });
      expect((await lease(service, tenant.id, { path, who: first.who })).status).toBe(404);
    }
    expect((await lease(service, tenant.id, other)).status).toBe(200);
  });

  test('changes nothing when it is told twice', async () => {
    const { who, consent } = await connected(service, tenant.id);
    const last = await connected(service, tenant.id);
    await ends('user.deactivated', who.sub);
    await ends('user.deactivated', who.sub);
    await ends('user.deactivated', last.who.sub);
    for (const id of [consent.id, last.consent.id]) await tokenDestroyed(service.events, tenant.id, id);
    expect(['consent.revoked', 'delegated_token.revoked'].map(type => countOf(type, consent.id))).toEqual([1, 1]);
    expect(countOf('secret.destroyed', secretOf(consent.id))).toBe(1);
  });
});
