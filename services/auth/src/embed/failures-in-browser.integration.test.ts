// Every way in which it fails, seeded and met with in a real browser: what the page is told, what the developer reads
// in the console, what the person sees, and what the tenant's log has. Each beside a person of the same page who gets
// in.
import { createServer } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Id, TenantId } from '@reeve/contracts';
import { eventually, listen, type NameServer, readEvents, startNameServer } from '@reeve/testing';
import {
  type Browser,
  type BrowserContext,
  chromiumHint,
  chromiumPath,
  openChromium,
  type Page,
} from '@reeve/testing/chromium';
import { given } from '@reeve/testing/given';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type Auth, startAuth } from '../auth.test-support.ts';
import type { EmbedCode } from './codes.ts';
import { type HostPage, startHostPage } from './host-page.test-support.ts';

const resource = 'https://assistant.myproduct.example';
const ada = { sub: 'ada', email: 'ada@acme.example', email_verified: true };

type Shown = Parameters<HostPage['shows']>[0];
type World = { tenantId: TenantId; slug: string; connectionId: Id<'connection'>; applicationId: string };
type Seeded = World & { page: Page; context: BrowserContext };

type Row = {
  /** Makes it fail. */
  seed?: (world: World) => Promise<unknown> | unknown;
  shown?: (world: World) => Shown;
  /** What happens to the page before. */
  prepare?: (context: BrowserContext) => Promise<unknown>;
  /** What the person does; nothing, where the page is told by itself. */
  act?: (seeded: Seeded) => Promise<unknown>;
  /** What the person reads in the window. */
  reads?: string;
  reason?: string;
  /** Where the console sends the developer, if not to us. */
  helpAt?: () => string;
  /** Of the tenant's log; null where it has nothing. */
  event: 'embedded_sign_in.failed' | 'sign_in.failed' | null;
};

given(chromiumPath !== undefined, chromiumHint).describe('in a real browser', () => {
  let auth: Auth;
  let dns: NameServer;
  let saml: SamlIdentityProvider;
  let host: HostPage;
  /** Answers whatever it is asked, and leaves out what lets a page of another origin read it. */
  let proxy: Awaited<ReturnType<typeof listen>>;
  let browser: Browser;
  let log: Awaited<ReturnType<typeof readEvents>>;
  let as: string;

  beforeAll(async () => {
    saml = await startSamlIdentityProvider();
    dns = await startNameServer();
    const environment = { REEVE_ALLOWED_PRIVATE_ORIGINS: saml.url, REEVE_DNS_SERVERS: dns.address };
    auth = await startAuth(environment, { host: 'localhost' });
    as = await auth.asPlatform();
    log = await readEvents('reeve.auth.v1');
    host = await startHostPage(auth.url);
    proxy = await listen(createServer((_, response) => response.end('{}')));
    browser = await openChromium({ without: ['--disable-popup-blocking'] });
    await auth.ask('POST', '/v1/resource-servers', {
      as,
      body: { name: 'Assistant', identifier: resource, scopes: [{ name: 'ask' }], applications: 'all' },
    });
  }, 90_000);
  afterAll(async () => {
    await browser.close();
    await log.stop();
    await Promise.all([auth.stop(), host.stop(), proxy.stop(), saml.stop(), dns.stop()]);
  });
  beforeEach(async () => {
    as = await auth.asPlatform();
    auth.provider.is(ada);
    auth.provider.lies({});
    auth.provisioning.answers(null);
    saml.is({ nameId: 'ada', attributes: { email: ada.email } });
  });

  async function newWorld(settings: object = {}): Promise<World> {
    const { tenantId, slug } = await auth.newTenant();
    const connectionId = await auth.newConnection(tenantId, settings);
    await auth.ask('POST', `/v1/tenants/${tenantId}/auth-keys`, { as, body: { authKey: 'default', connectionId } });
    const { id: applicationId } = await auth.newApplication(tenantId, {
      kind: 'single_page',
      surface: 'assistant',
      dpopRequired: true,
      redirectUris: [`${auth.url}/embed/callback`],
    });
    const world = { tenantId, slug, connectionId, applicationId };
    await embeds(world);
    return world;
  }

  async function embeds({ tenantId, applicationId }: World, more: object = {}) {
    const origins = [host.origin];
    const body = { enabled: true, origins, applicationId, resource, scopes: ['ask'], mode: 'auto', ...more };
    expect((await auth.ask('PUT', `/v1/tenants/${tenantId}/embed`, { as, body })).status).toBe(200);
  }

  const change = ({ tenantId }: World, path: string, body: object) =>
    auth.ask('PATCH', `/v1/tenants/${tenantId}/${path}`, { as, body });

  /** People of that domain have to come by a connection that the page does not choose. */
  async function enforceElsewhere({ tenantId }: World): Promise<void> {
    const elsewhere = await auth.newConnection(tenantId, { name: 'Elsewhere' });
    const path = `/v1/tenants/${tenantId}/domains`;
    type Claimed = { id: string; record: { name: string; value: string } };
    const { body } = await auth.ask<Claimed>('POST', path, {
      as,
      body: { name: 'acme.example', connectionId: elsewhere, policy: 'enforced' },
    });
    dns.says(body.record.name, { txt: [body.record.value] });
    const { body: verified } = await auth.ask<{ status: string }>('POST', `${path}/${body.id}:verify`, { as });
    expect(verified.status).toBe('verified');
  }

  type Told = { type: string; code?: string; reason?: string | null };
  const told = (page: Page) => page.evaluate<Told[]>('window.told');
  const ready = (page: Page) =>
    eventually('the script is there', () => page.evaluate<boolean>('window.Reeve?.ready?.then(() => true) ?? false'));
  const clicked = async ({ page }: { page: Page }) => {
    await ready(page);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };
  const opened = async ({ page, context }: Seeded): Promise<Page> => {
    const [popup] = await Promise.all([context.waitForEvent('page'), clicked({ page })]);
    return popup;
  };
  const signsIn = async ({ page }: Seeded) => {
    await clicked({ page });
    await eventually('somebody is signed in', async () => (await told(page)).some(({ type }) => type === 'signedIn'));
  };

  const byWindow = ({ slug }: World): Shown => ({ init: { domain: slug, mode: 'popup' } });
  const byLeaving = ({ slug }: World): Shown => ({ init: { domain: slug, mode: 'redirect' } });
  const byFrame = ({ slug }: World): Shown => ({ init: { domain: slug, mode: 'iframe' } });

  const refusedThere = (error: string, description: string) => () =>
    auth.provider.lies({
      back(parameters) {
        parameters.delete('code');
        parameters.set('error', error);
        parameters.set('error_description', description);
      },
    });
  const secretIsOver = () =>
    auth.provider.lies({
      answers: {
        '/token': (_, response) =>
          response.writeHead(401, { 'content-type': 'application/json' }).end(
            JSON.stringify({
              error: 'invalid_client',
              error_description: 'AADSTS7000222: The provided client secret keys are expired.',
            }),
          ),
      },
    });
  /** What the person at the provider never ends. */
  const nobodyAnswers = () => auth.provider.lies({ answers: { '/authorize': () => undefined } });
  const laterBy = (page: Page, ms: number) =>
    page.evaluate(`{ const now = Date.now; Date.now = () => now() + ${ms}; }`);

  const atUs = 'embedded_sign_in.failed';
  const atConnection = 'sign_in.failed';

  /** By its code; what is seeded in another way as well has a name behind it. */
  const rows: Record<EmbedCode, Row> & Record<string, Row> = {
    missing_auth_key: {
      async seed(world) {
        await auth.newConnection(world.tenantId, { name: 'Another' });
        await auth.ask('DELETE', `/v1/tenants/${world.tenantId}/auth-keys/default`, { as });
      },
      event: atUs,
    },
    unknown_auth_key: { shown: ({ slug }) => ({ init: { domain: slug, authKey: 'nobody' } }), event: atUs },
    origin_not_allowed: { seed: world => embeds(world, { origins: ['https://elsewhere.example'] }), event: atUs },
    redirect_uri_mismatch: {
      seed: world => change(world, `applications/${world.applicationId}`, { redirectUris: ['https://x.example'] }),
      event: atUs,
    },
    'redirect_uri_mismatch at the identity provider': {
      seed: refusedThere('invalid_request', 'AADSTS50011: The redirect URI does not match the ones configured.'),
      act: opened,
      reads: 'sign_in_failed (refused)',
      reason: 'redirect_uri_unregistered',
      event: atConnection,
    },
    redirect_loop: {
      shown: byWindow,
      /** Whoever is signed in is signed in again, and again. */
      async act(seeded) {
        const { page } = seeded;
        const timesIn = async () => (await told(page)).filter(({ type }) => type === 'signedIn').length;
        await signsIn(seeded);
        for (let count = 2; count <= 6; count += 1) {
          await clicked({ page });
          await eventually('they are in again', async () => (await timesIn()) === count);
        }
        return opened(seeded);
      },
      reads: 'redirect_loop',
      event: atUs,
    },
    wrong_idp: {
      seed: enforceElsewhere,
      act: opened,
      reads: 'domain_enforced',
      reason: 'domain_enforced',
      event: atConnection,
    },
    'wrong_idp by its directory': {
      seed: refusedThere('access_denied', 'AADSTS50020: User account does not exist in tenant.'),
      act: opened,
      reason: 'wrong_directory',
      event: atConnection,
    },
    blocked_by_csp: {
      shown: ({ slug }) => ({ init: { domain: slug }, policy: { 'connect-src': "'none'" } }),
      // Nothing gets there.
      event: null,
    },
    'blocked_by_csp of its frame': {
      shown: world => ({ ...byFrame(world), policy: { 'frame-src': "'none'" } }),
      act: clicked,
      event: atUs,
    },
    blocked_by_cors: {
      shown: ({ slug }) => ({ init: { domain: slug, url: proxy.url }, policy: { 'connect-src': proxy.url } }),
      helpAt: () => proxy.url,
      event: null,
    },
    cookies_blocked: {
      shown: byLeaving,
      prepare: context =>
        context.addInitScript(`indexedDB.open = () => { throw new DOMException('denied', 'SecurityError'); };`),
      act: clicked,
      event: atUs,
    },
    popup_blocked: {
      shown: byWindow,
      prepare: context => context.addInitScript('window.open = () => null;'),
      act: clicked,
      event: atUs,
    },
    opener_isolated: {
      shown: world => ({ ...byWindow(world), headers: { 'Cross-Origin-Opener-Policy': 'same-origin' } }),
      async act(seeded) {
        const popup = await opened(seeded);
        expect(await popup.locator('main').innerText()).toContain('Begin to sign in from the page');
      },
      event: atUs,
    },
    frame_blocked: {
      shown: byFrame,
      prepare: context => context.route(`${auth.url}/embed/frame*`, route => route.abort()),
      act: clicked,
      event: atUs,
    },
    secret_expired: { seed: secretIsOver, act: opened, reason: 'client_secret_expired', event: atConnection },
    certificate_expired: {
      async seed(world) {
        const other = await startSamlIdentityProvider();
        const certificates = [other.certificate()];
        await other.stop();
        const { entityId, ssoUrl } = saml;
        const connectionId = await auth.newConnection(world.tenantId, {
          name: 'SAML',
          kind: 'saml',
          oidc: undefined,
          saml: { entityId, ssoUrl, certificates },
        });
        await change(world, 'auth-keys/default', { connectionId });
      },
      act: opened,
      reason: 'saml_certificate_unknown',
      event: atConnection,
    },
    not_in_roster: {
      seed: () => auth.provisioning.answers(() => 'identity_unknown'),
      act: opened,
      reads: 'identity_unknown',
      reason: 'identity_unknown',
      event: atConnection,
    },
    no_channel_identity: {
      seed: () => auth.provisioning.answers(() => 'identity_conflict'),
      act: opened,
      reads: 'identity_conflict',
      reason: 'identity_conflict',
      event: atConnection,
    },
    no_access: {
      seed: () => auth.provisioning.answers(() => 'user_deactivated'),
      act: opened,
      reads: 'user_deactivated',
      reason: 'user_deactivated',
      event: atConnection,
    },
    'no_access of the application': {
      seed: world => embeds(world, { resource: 'https://nobody.example', scopes: [] }),
      act: opened,
      event: atUs,
    },
    sign_in_failed: {
      seed: refusedThere('access_denied', 'The person said no.'),
      act: opened,
      reason: 'person_cancelled',
      event: atConnection,
    },
    session_over: {
      async act(seeded) {
        await signsIn(seeded);
        const { page, tenantId } = seeded;
        const path = `/v1/tenants/${tenantId}/sessions`;
        const { body } = await auth.ask<{ items: { id: string }[] }>('GET', path, { as });
        for (const { id } of body.items) await auth.ask('POST', `${path}/${id}:terminate`, { as });
        await laterBy(page, 400_000);
        expect(await page.evaluate('window.Reeve.ready.then(client => client.getToken())')).toBeNull();
      },
      event: null,
    },
    offline: {
      async act(seeded) {
        await signsIn(seeded);
        await laterBy(seeded.page, 400_000);
        await seeded.context.setOffline(true);
        await seeded.page.evaluate('window.Reeve.ready.then(client => client.getToken()).catch(() => {})');
        await seeded.context.setOffline(false);
      },
      event: null,
    },
    timed_out: {
      seed: nobodyAnswers,
      async act(seeded) {
        await opened(seeded);
        await laterBy(seeded.page, 700_000);
      },
      event: atUs,
    },
  };

  const eventsOf = (tenantId: TenantId, code: string, reason: string | undefined) =>
    log.of(tenantId).flatMap(({ type, data }) => {
      const isOfRow =
        type === atUs ? data.reason.code === code : type === atConnection && data.details['cause'] === reason;
      return isOfRow ? [type] : [];
    });

  async function shownTo(world: World, { shown = ({ slug }) => ({ init: { domain: slug } }), prepare }: Partial<Row>) {
    const context = await browser.newContext({ locale: 'en' });
    await prepare?.(context);
    const page = await context.newPage();
    const said: string[] = [];
    page.on('console', message => void said.push(message.text()));
    await page.goto(host.shows(shown(world)));
    return { page, context, said };
  }

  test.each(Object.keys(rows))(
    '%s',
    async name => {
      const row = rows[name] as Row;
      const [code = ''] = name.split(' ');
      const world = await newWorld();
      // The control: as long as nothing is wrong.
      const before = await shownTo(world, {});
      await signsIn({ ...world, ...before });
      expect(before.said.filter(text => text.startsWith('Reeve:'))).toEqual([]);
      await before.context.close();
      expect(eventsOf(world.tenantId, code, row.reason)).toEqual([]);

      await row.seed?.(world);
      const { page, context, said } = await shownTo(world, row);
      const popup = await row.act?.({ ...world, page, context });
      const help = `${row.helpAt?.() ?? auth.url}/embed/help#${code}`;
      const explained = `Reeve: ${code}${row.reason ? ` (${row.reason})` : ''}, see ${help}`;
      if (code === 'session_over') {
        expect((await told(page)).at(-1)).toEqual({ type: 'signedOut', reason: code });
      } else {
        await eventually(
          'the page is told',
          async () => (await told(page)).some(({ type }) => type === 'error'),
          30_000,
        );
        expect((await told(page)).at(-1)).toEqual({ type: 'error', code, reason: row.reason ?? null });
        expect(said.filter(text => text.startsWith('Reeve:'))).toEqual([explained]);
      }
      // Nobody had to go back for that.
      if (row.reads) expect(await (popup as Page).locator('main').innerText()).toContain(row.reads);
      if (row.event)
        await eventually('it is on the record', () =>
          eventsOf(world.tenantId, code, row.reason).includes(row.event as never),
        );
      else expect(eventsOf(world.tenantId, code, row.reason)).toEqual([]);
      await context.close();
    },
    90_000,
  );
});
