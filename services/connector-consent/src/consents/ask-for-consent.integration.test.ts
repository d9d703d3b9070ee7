// Answers that meet one another, or the end of their installation, in the middle: the moments that no browser can be
// made to hit.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { SignedIn } from '@reeve/browser-session';
import { type Id, newId, serviceCause } from '@reeve/contracts';
import { html, type PersonStanding } from '@reeve/service-kit';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { contents } from '../contents.ts';
import { approve, installations, request, uninstall } from '../installations/installation.ts';
import { answerConsent } from './ask-for-consent.ts';
import { consents } from './consent.ts';
import { createRevokeConsents, type RevokeConsents } from './revoke-consents.ts';

const tenantId = newId('tenant');
const cause = serviceCause('test', { correlationId: 'c' });
const connector = {
  id: 'calendar',
  name: 'Calendar',
  publisher: 'Acme',
  review: 'approved' as const,
  oauth: { issuer: 'https://calendar.example', hosts: [], clientId: 'reeve', clientSecret: 'secret' },
  scopes: [{ id: 'read', meaning: 'See your events' }],
  cannot: [],
  eventTypes: [],
  consentDays: 1,
};

let store: Store;
let revokeConsents: RevokeConsents;
/** Those whose standing has changed. */
const people = new Map<string, PersonStanding>();

beforeAll(async () => {
  const database = `answers_${randomUUID().slice(0, 8)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
  revokeConsents = createRevokeConsents({ consents: store.collection(consents) });
});
afterAll(() => store.close());

/**
 * A person before the page of a connector that is approved; `meanwhile` comes after the page was found to be open,
 * and before the answer is saved.
 */
async function asked({
  meanwhile = () => Promise.resolve(),
}: {
  meanwhile?: (ids: { installationId: Id<'installation'>; userId: Id<'user'> }) => Promise<void>;
} = {}) {
  const installationId = newId('installation');
  const userId = newId('user');
  const about = { connectorId: 'calendar', connectorName: 'Calendar', scopes: ['read'], createdAt: '' };
  const approved = approve(installationId, request(installationId, about).state, {
    requestId: newId('request'),
    now: new Date(),
  });
  if (!approved) throw new Error('not approved');
  await store.collection(installations).in(tenantId).create(installationId, approved, cause);
  const route = answerConsent({
    async findConsentRequest() {
      await meanwhile({ installationId, userId });
      return { tenantId, installationId, installation: approved.state };
    },
    catalogue: { list: () => [connector], get: () => connector },
    tenants: { find: async () => null },
    installations: store.collection(installations),
    consents: store.collection(consents),
    thirdParty: { begin: async () => 'https://calendar.example/' },
    standing: { personOf: async (_, id) => people.get(id) },
    clock: store.clock,
  });
  const principal: SignedIn = {
    browserSessionId: 'browser',
    userId,
    tenantId,
    name: 'Ada',
    sessionId: newId('session'),
    csrfField: html``,
  };
  const answer = (allowed: boolean) =>
    route.handle({
      principal,
      cause,
      tenantId,
      params: { consentRequestId: newId('request') },
      body: { answer: allowed ? 'allow' : 'deny', scope: ['read'] },
    } as unknown as Parameters<typeof route.handle>[0]);
  const given = async () =>
    (await store.collection(consents).in(tenantId).list('byInstallation', { installationId }, { limit: 10 })).items;
  return { answer, given };
}

test('ten answers at once are one consent, with as many versions', async () => {
  const { answer, given } = await asked();
  const all = await Promise.all(Array.from({ length: 10 }, (_, index) => answer(index % 2 === 0)));
  expect(all.map(reply => ('redirect' in reply ? 'sent on' : 'told'))).toEqual(
    all.map((_, index) => (index % 2 === 0 ? 'sent on' : 'told')),
  );
  expect(await given()).toMatchObject([{ version: 10 }]);
});

test('an answer to a connector that was uninstalled meanwhile, its consents ended already, ends as well', async () => {
  const late = await asked({
    async meanwhile({ installationId: id }) {
      await store
        .collection(installations)
        .in(tenantId)
        .change(id, found => found && uninstall(id, found), { cause });
      await revokeConsents({ id: 'e', tenantId, correlationId: 'c' }, { installationId: id }, 'uninstalled');
    },
  });
  await expect(late.answer(true)).rejects.toMatchObject({ code: 'consent_expired' });
  expect(await late.given()).toMatchObject([{ state: { status: 'revoked' } }]);
  const inTime = await asked();
  await expect(inTime.answer(true)).resolves.toMatchObject({ redirect: 'https://calendar.example/' });
  expect(await inTime.given()).toMatchObject([{ state: { status: 'granted' } }]);
});

test.each(['deactivated', 'deleted'] as const)(
  'an answer of a person who was %s meanwhile, their consents ended already, ends as well',
  async status => {
    const late = await asked({
      async meanwhile({ userId }) {
        people.set(userId, { status, roles: [] });
        await revokeConsents({ id: 'e', tenantId, correlationId: 'c' }, { userId }, `user_${status}`);
      },
    });
    await expect(late.answer(true)).rejects.toMatchObject({ code: 'user_deactivated' });
    expect(await late.given()).toMatchObject([{ state: { status: 'revoked' } }]);
    const stays = await asked({
      meanwhile: async ({ userId }) => void people.set(userId, { status: 'active', roles: ['tenant_member'] }),
    });
    await expect(stays.answer(true)).resolves.toMatchObject({ redirect: 'https://calendar.example/' });
    expect(await stays.given()).toMatchObject([{ state: { status: 'granted' } }]);
  },
);
