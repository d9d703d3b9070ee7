// The service with everything that it speaks to: an issuer that signs people in, a third party, and other services'
// events.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Id, newId, type TenantId } from '@reeve/contracts';
import {
  type Browser,
  callers,
  createBrowser,
  type EventReader,
  eventually,
  type Page,
  type Person,
  readEvents,
  startAnnouncer,
  startOpenIdProvider,
  startService,
  vaultKeyFile,
} from '@reeve/testing';
import { configSchema } from './config.ts';
import { createService } from './service.ts';
import { client, startThirdParty } from './third-party.test-support.ts';

export type Consenting = Awaited<ReturnType<typeof startConnectorConsent>>;

const clientSecret = randomBytes(24).toString('hex');

const calendar = (issuer: string) => ({
  id: 'calendar',
  name: 'Calendar',
  publisher: 'Acme <Inc>',
  review: 'approved',
  oauth: { issuer, ...client },
  scopes: [
    { id: 'read', meaning: 'See your events' },
    { id: 'write', meaning: 'Change your events' },
    { id: 'admin', meaning: 'Share your calendars' },
  ],
  cannot: ['See your password'],
  eventTypes: ['event.created'],
  consentDays: 90,
});

export async function startConnectorConsent() {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-consent-'));
  const [issuer, thirdParty, announcer, events] = await Promise.all([
    startOpenIdProvider(),
    startThirdParty(),
    startAnnouncer(),
    readEvents('reeve.connector.v1', 'reeve.secret.v1', 'reeve.activity.v1'),
  ]);
  const keyFile = vaultKeyFile();
  const catalogue = join(directory, 'catalogue.json');
  const elsewhere = { ...calendar(thirdParty.url), id: 'elsewhere', name: 'Elsewhere' };
  writeFileSync(catalogue, JSON.stringify([calendar(thirdParty.url), elsewhere]));
  const service = await startService({
    name: 'connector_consent',
    schema: configSchema,
    create: createService,
    issuer,
    environment: {
      REEVE_VAULT_KEY_FILE: keyFile.path,
      REEVE_CONSENT_CLIENT_SECRET: clientSecret,
      REEVE_CATALOGUE_FILE: catalogue,
      REEVE_ALLOWED_PRIVATE_ORIGINS: thirdParty.url,
    },
  });
  issuer.register({ id: 'reeve-consent', secret: clientSecret, redirectUri: `${service.url}/sign-in/callback` });

  return {
    ...service,
    issuer,
    thirdParty,
    announcer,
    events,
    async stop() {
      await service.stop();
      await Promise.all([issuer.stop(), thirdParty.stop(), announcer.stop(), events.stop()]);
      keyFile.remove();
      rmSync(directory, { recursive: true });
    },
  };
}

export type Installation = { id: Id<'installation'>; status: string; consentUrl: string | null; code?: string };

const installationsOf = (tenantId: TenantId) => `/v1/tenants/${tenantId}/installations`;
const pathOf = (tenantId: TenantId, installationId: string) => `${installationsOf(tenantId)}/${installationId}`;

/** A tenant that the service knows of. */
export async function newTenant({ announcer, ask }: Consenting): Promise<{ id: TenantId; slug: string }> {
  const tenant = await announcer.newTenant();
  const as = callers.tenantClient(tenant.id);
  await eventually('the tenant', async () => (await ask('GET', installationsOf(tenant.id), { as })).status === 200);
  return tenant;
}

/** A connector that is approved in that tenant, and the page where a person consents. */
export async function approved(
  { ask }: Consenting,
  tenantId: TenantId,
  { connectorId = 'calendar', scopes = ['read', 'write'] }: { connectorId?: string; scopes?: string[] } = {},
): Promise<{ id: Id<'installation'>; path: string; consentUrl: string }> {
  const as = callers.tenantClient(tenantId);
  const body = { connectorId, scopes };
  const requested = await ask<Installation>('POST', `${installationsOf(tenantId)}:request`, { as, body });
  const path = pathOf(tenantId, requested.body.id);
  const { consentUrl } = (await ask<Installation>('POST', `${path}:approve`, { as })).body;
  return { id: requested.body.id, path, consentUrl: String(consentUrl) };
}

type User = Person & { sub: Id<'user'> };
export const person = (tid: TenantId, change: Partial<Person> = {}): User => ({
  sub: newId('user'),
  sid: newId('session'),
  tid,
  name: 'Ada',
  ...change,
});

/** Opens a page in a browser of that person, who signs in on the way. */
export async function opened(
  { issuer }: Consenting,
  url: string,
  { who, browser = createBrowser() }: { who: Person; browser?: Browser },
): Promise<{ browser: Browser; shown: Page }> {
  issuer.signsIn(who);
  return { browser, shown: await browser.open(url) };
}

export type Consent = { id: Id<'consent'>; status: string; scopes: string[]; userId: string; text: string };

/** A connector that is installed, since that person has consented. */
export async function connected(service: Consenting, tenantId: TenantId, who = person(tenantId)) {
  const installation = await approved(service, tenantId);
  const { browser, shown } = await opened(service, installation.consentUrl, { who });
  const end = await browser.submit(shown, { scope: ['read', 'write'], answer: 'allow' });
  if (!end.text.includes('Calendar is connected')) throw new Error(`not connected: ${end.text}`);
  const [consent] = await consentsOf(service, tenantId, installation.path);
  if (!consent) throw new Error('there is no consent');
  return { ...installation, who, browser, consent };
}

export async function consentsOf({ ask }: Consenting, tenantId: TenantId, path: string): Promise<Consent[]> {
  const as = callers.tenantClient(tenantId);
  return (await ask<{ items: Consent[] }>('GET', `${path}/consents`, { as })).body.items;
}

type Lease = { accessToken: string | null; scopes: string[]; expiresAt: string | null; code?: string };

export const lease = ({ ask }: Consenting, tenantId: TenantId, { path, who }: { path: string; who: User }) =>
  ask<Lease>('POST', `${path}/token`, { as: callers.tenantClient(tenantId), body: { userId: who.sub } });

/** What the vault has for the first answer. */
export const secretOf = (consentId: Id<'consent'>): string => `${consentId}.1`;

/** Waits until the token of that consent, and the secret that it is, are destroyed. */
export async function tokenDestroyed(events: EventReader, tenantId: TenantId, consentId: Id<'consent'>) {
  await events.seen(tenantId, 'secret.destroyed', secretOf(consentId));
  return events.seen(tenantId, 'delegated_token.revoked', consentId);
}
