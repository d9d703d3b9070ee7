// The page on which a person consents: what it shows, whose it is, and what an answer does.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { event, newId, type TenantId } from '@reeve/contracts';
import { callers, createBrowser, eventually, type Page } from '@reeve/testing';
import {
  approved,
  type Consenting,
  connected,
  consentsOf,
  lease,
  newTenant,
  opened,
  person,
  secretOf,
  startConnectorConsent,
} from '../connector-consent.test-support.ts';

let service: Consenting;
let tenant: { id: TenantId; slug: string };

beforeAll(async () => {
  service = await startConnectorConsent();
  tenant = await newTenant(service);
}, 60_000);
afterAll(() => service.stop());
beforeEach(() => service.thirdParty.says());

const open = (url: string, who = person(tenant.id)) => opened(service, url, { who });
const problemOf = ({ status, text }: Page) => [status, /class="muted">(\w+)/.exec(text)?.[1]];
const isAsking = ({ status, text }: Page) => status === 200 && text.includes('value="allow"');

describe('a consent page', () => {
  test('says who asks for what, and works by keyboard and screen reader, without scripts', async () => {
    const { consentUrl } = await approved(service, tenant.id);
    const { shown } = await open(consentUrl, person(tenant.id, { name: 'Ada & Co' }));
    for (const text of [
      `Calendar by Acme &lt;Inc&gt; asks for access on behalf of Ada &amp; Co in ${tenant.slug}.`,
      '<h1>Connect Calendar?</h1>',
      '<legend>It will be able to</legend>',
      '<label><input type="checkbox" name="scope" value="read" checked> See your events</label>',
      '<li>It will not be able to: See your password.</li>',
      '<html lang="en" dir="ltr">',
      'name="viewport"',
    ])
      expect(shown.text).toContain(text);
    expect(shown.text).not.toContain('Share your calendars');
    expect(shown.text).not.toContain('<script');
    const policy = shown.headers.get('content-security-policy');
    expect(policy).toContain(`form-action 'self' ${service.thirdParty.url};`);
    expect(policy).toContain("frame-ancestors 'none'");
  });

  test('asks whoever opens it to sign in to its tenant', async () => {
    const { consentUrl } = await approved(service, tenant.id);
    expect(isAsking((await open(consentUrl)).shown)).toBe(true);
    expect(service.issuer.asked.at(-1)?.get('tenant')).toBe(tenant.id);
  });

  test('tells nobody why it is not there: unknown, connected already, and no id at all look alike', async () => {
    const { consentUrl } = await approved(service, tenant.id);
    const installed = await connected(service, tenant.id);
    const [other, none] = [newId('request'), 'nothing'].map(id => `${service.url}/consent/${id}`);
    const before = service.issuer.asked.length;
    const seen = await Promise.all(
      [installed.consentUrl, String(other), String(none)].map(url => createBrowser().open(url)),
    );
    const withoutReference = ({ text }: Page) => text.replace(/req_[\w-]+/, '');
    expect(seen.map(problemOf)).toEqual(seen.map(() => [410, 'consent_expired']));
    expect(new Set(seen.map(withoutReference)).size).toBe(1);
    expect(service.issuer.asked.length).toBe(before);
    expect((await createBrowser().open(consentUrl, service.issuer.url)).status).toBe(0);
  });

  test('is not shown to a person of another tenant, and is to its own', async () => {
    const elsewhere = await newTenant(service);
    const { consentUrl } = await approved(service, tenant.id);
    const { browser, shown } = await open((await approved(service, elsewhere.id)).consentUrl, person(elsewhere.id));
    expect(isAsking(shown)).toBe(true);
    const refused = await browser.open(consentUrl);
    expect(problemOf(refused)).toEqual([400, 'sign_in_failed']);
    expect(refused.text).toContain('You are signed in to another organization');
    expect(isAsking((await open(consentUrl)).shown)).toBe(true);
  });

  test('of a tenant that is suspended is an error page, and nothing can be answered there', async () => {
    const suspended = await newTenant(service);
    const { consentUrl, path } = await approved(service, suspended.id);
    const { browser, shown } = await open(consentUrl, person(suspended.id));
    expect(isAsking(shown)).toBe(true);
    await service.announcer.suspend(suspended);
    await eventually('the suspension', async () => (await browser.open(consentUrl)).status === 403);
    expect(problemOf(await browser.open(consentUrl))).toEqual([403, 'tenant_suspended']);
    const answered = await browser.submit(shown, { scope: ['read'], answer: 'allow' });
    expect(problemOf(answered)).toEqual([403, 'tenant_suspended']);
    const platform = await service.ask<{ items: unknown[] }>('GET', `${path}/consents`, { as: callers.platform() });
    expect(platform.body.items).toEqual([]);
  });
});

describe('an answer', () => {
  test('that allows is recorded with the words that were shown, and connects', async () => {
    const { consentUrl, path } = await approved(service, tenant.id);
    const who = person(tenant.id);
    const { browser, shown } = await open(consentUrl, who);
    const end = await browser.submit(shown, { scope: ['read'], answer: 'allow' });
    expect(end.text).toContain('Calendar is connected');
    expect(Object.fromEntries(service.thirdParty.asked.at(-1) ?? [])).toMatchObject({
      scope: 'read',
      code_challenge_method: 'S256',
      redirect_uri: `${service.url}/connect/callback`,
    });
    const [consent, ...others] = await consentsOf(service, tenant.id, path);
    expect(others).toEqual([]);
    expect(consent).toMatchObject({ status: 'granted', scopes: ['read'], userId: who.sub });
    expect(consent?.text.split('\n').slice(1, 3)).toEqual([
      'It will be able to: See your events.',
      'It will not be able to: See your password.',
    ]);
    expect(await service.events.seen(tenant.id, 'consent.granted', consent?.id)).toMatchObject({
      data: { actor: { type: 'user', id: who.sub }, reason: { code: 'person_agreed' } },
    });
  });

  test.each([
    ['says no', { answer: 'deny', scope: ['read'] }],
    ['allows nothing of it', { answer: 'allow' }],
  ])('that %s is recorded, sends nobody anywhere, and may be changed', async (_, fields) => {
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl);
    const before = service.thirdParty.asked.length;
    expect((await browser.submit(shown, fields)).text).toContain('Nothing was connected');
    expect(await consentsOf(service, tenant.id, path)).toMatchObject([{ status: 'denied' }]);
    expect(service.thirdParty.asked.length).toBe(before);
    const changed = await browser.submit(shown, { answer: 'allow', scope: ['read'] });
    expect(changed.text).toContain('Calendar is connected');
  });

  test.each([
    ['comes twice', { answer: ['allow', 'deny'], scope: ['read'] }, [400, 'input_invalid']],
    [
      'has a field that the page has not',
      { answer: 'allow', scope: ['read'], returnTo: 'https://evil.example' },
      [400, 'input_invalid'],
    ],
    ['allows what was not asked', { answer: 'allow', scope: ['read', 'admin'] }, [422, 'scope_unknown']],
    ['is neither', { answer: 'maybe' }, [400, 'input_invalid']],
    ['is huge', { answer: 'allow', scope: 'a'.repeat(20_000) }, [413, 'body_too_large']],
    ['brings the value of another session', { csrf: 'a'.repeat(43), answer: 'allow' }, [403, 'csrf_mismatch']],
  ])('that %s is refused, and the page is as open as before', async (_, fields, problem) => {
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl);
    expect(problemOf(await browser.submit(shown, fields as Record<string, string>))).toEqual(problem);
    expect(await consentsOf(service, tenant.id, path)).toEqual([]);
    const end = await browser.submit(shown, { scope: ['read'], answer: 'allow' });
    expect(end.text).toContain('Calendar is connected');
  });

  test('of somebody who is not signed in, or has signed out elsewhere meanwhile, is refused', async () => {
    const who = person(tenant.id);
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl, who);
    const answer = { scope: ['read'], answer: 'allow' };
    expect(problemOf(await createBrowser().submit(shown, answer))).toEqual([403, 'csrf_mismatch']);
    const details = { userId: who.sub, surface: 'product', provider: null, cause: 'signed_out' };
    const signedOut = event('session.revoked', { id: who.sid, because: 'signed_out', details });
    await service.announcer.announce(tenant.id, signedOut);
    await eventually('the sign-in', async () => (await browser.open(consentUrl, service.issuer.url)).status === 0);
    expect(problemOf(await browser.submit(shown, answer))).toEqual([403, 'csrf_mismatch']);
    expect(await consentsOf(service, tenant.id, path)).toEqual([]);
  });

  test('is one answer, when two tabs give it at once', async () => {
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl);
    const answers = [
      { answer: 'allow', scope: ['read'] },
      { answer: 'deny' },
      { answer: 'allow', scope: ['read', 'write'] },
      { answer: 'deny' },
    ];
    const callback = `${service.url}/connect/callback`;
    const ends = await Promise.all(answers.map(fields => browser.submit(shown, fields, callback)));
    expect(ends.map(({ status }) => status)).toEqual([0, 200, 0, 200]);
    const [consent, ...others] = await consentsOf(service, tenant.id, path);
    expect(others).toEqual([]);
    // What returns for an answer that has been replaced connects nothing; what returns for the one that stands does.
    const returned = [await browser.open(ends[0]?.url ?? ''), await browser.open(ends[2]?.url ?? '')];
    const isConnected = returned.map(({ text }) => text.includes('Calendar is connected'));
    expect(isConnected.filter(Boolean)).toHaveLength(consent?.status === 'granted' ? 1 : 0);
    expect((await consentsOf(service, tenant.id, path))[0]?.status).toBe(consent?.status);
  });

  test('replaces an earlier one, and the token of that one is destroyed', async () => {
    const who = person(tenant.id);
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl, who);
    // In the other tab the same person has been sent to the third party, and is about to return.
    const { url } = await browser.submit(
      shown,
      { scope: ['read', 'write'], answer: 'allow' },
      `${service.url}/connect`,
    );
    service.thirdParty.says({ meanwhile: () => browser.submit(shown, { scope: ['read'], answer: 'deny' }) });
    expect(problemOf(await browser.open(url))).toEqual([410, 'consent_expired']);
    const [consent] = await consentsOf(service, tenant.id, path);
    expect(consent?.status).toBe('denied');
    if (consent) await service.events.seen(tenant.id, 'secret.destroyed', secretOf(consent.id));
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
  });

  test('is not undone by an earlier one whose third party is slow', async () => {
    const who = person(tenant.id);
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl, who);
    const { url } = await browser.submit(
      shown,
      { scope: ['read', 'write'], answer: 'allow' },
      `${service.url}/connect`,
    );
    const faster = async () => {
      service.thirdParty.says();
      expect((await browser.submit(shown, { scope: ['read'], answer: 'allow' })).text).toContain('is connected');
    };
    service.thirdParty.says({ meanwhile: faster });
    expect(problemOf(await browser.open(url))).toEqual([410, 'consent_expired']);
    expect((await lease(service, tenant.id, { path, who })).body).toMatchObject({ scopes: ['read'] });
    const [consent] = await consentsOf(service, tenant.id, path);
    if (consent) await service.events.seen(tenant.id, 'secret.destroyed', secretOf(consent.id));
    expect((await lease(service, tenant.id, { path, who })).status).toBe(200);
  });

  test('that comes when the connector is being uninstalled brings nothing back', async () => {
    for (let round = 0; round < 5; round += 1) {
      const who = person(tenant.id);
      const { consentUrl, path } = await approved(service, tenant.id);
      const { browser, shown } = await open(consentUrl, who);
      await Promise.all([
        browser.submit(shown, { scope: ['read'], answer: 'allow' }),
        service.ask('POST', `${path}:uninstall`, { as: callers.tenantClient(tenant.id) }),
      ]);
      await eventually('the end of the consent', async () =>
        (await consentsOf(service, tenant.id, path)).every(({ status }) => status !== 'granted'),
      );
      expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    }
  });
});

describe('a consent that somebody revokes while the third party is answering', () => {
  test('leaves no token', async () => {
    const who = person(tenant.id);
    const { consentUrl, path } = await approved(service, tenant.id);
    const { browser, shown } = await open(consentUrl, who);
    const { url } = await browser.submit(shown, { scope: ['read'], answer: 'allow' }, `${service.url}/connect`);
    const [consent] = await consentsOf(service, tenant.id, path);
    if (!consent) throw new Error('there is no consent');
    const revoke = `${path}/consents/${consent.id}:revoke`;
    const as = callers.tenantClient(tenant.id);
    service.thirdParty.says({ meanwhile: () => service.ask('POST', revoke, { as }) });
    expect(problemOf(await browser.open(url))).toEqual([410, 'consent_expired']);
    await service.events.seen(tenant.id, 'secret.destroyed', secretOf(consent.id));
    expect((await lease(service, tenant.id, { path, who })).status).toBe(404);
    expect((await service.ask<{ status: string }>('GET', path, { as })).body.status).toBe('approved');
  });
});
