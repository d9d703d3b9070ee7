import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import {
  type Application,
  applications,
  newClientSecret,
  register,
  remove,
  rotateSecret,
  type Settings,
  sha256,
  update,
  type Which,
} from './application.ts';

const which: Which = { id: newId('client'), owner: newId('tenant'), at: new Date('2026-11-25T12:00:00.000Z') };
const settings: Settings = {
  kind: 'web',
  name: 'An application',
  grantTypes: ['authorization_code'],
  redirectUris: ['https://app.example/cb'],
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
  initiateLoginUri: null,
  origins: [],
  authentication: { method: 'client_secret' },
  tenants: null,
  defaultResource: null,
  defaultScopes: [],
  areas: null,
  surface: null,
  pkceRequired: true,
  dpopRequired: false,
  securityProfile: null,
};
const application: Application = register(which, settings, 'aa').state;
const types = (decision: Decision<Application>) => decision?.events.map(({ type }) => type);
/** From which moment on its tokens count; null for none, undefined where nothing is said. */
const issuedBefore = (decision: Decision<Application>) => {
  const told = decision?.events.find(draft => 'topic' in draft);
  return told && 'topic' in told
    ? (JSON.parse(Buffer.from(told.data).toString()) as { issuedBefore: string | null }).issuedBefore
    : undefined;
};

describe('an application', () => {
  test('keeps the hash of its secret and not the secret', () => {
    const { clientSecret, secretSha256 } = newClientSecret();
    expect(secretSha256).toBe(sha256(clientSecret));
    expect(JSON.stringify(register(which, settings, secretSha256))).not.toContain(clientSecret);
  });

  test('that changes in name leaves its tokens alone; in what it reaches, those from before count no more', () => {
    expect(issuedBefore(update(which, application, { name: 'Other' }))).toBeUndefined();
    const narrowed = update(which, application, { areas: ['webhooks'] });
    expect(types(narrowed)).toEqual(['client.updated', 'client.revoked']);
    expect(issuedBefore(narrowed)).toBe('2026-11-25T12:00:00.000Z');
    expect(update(which, application, { name: application.name })).toBeNull();
  });

  test('that gets a new secret loses the one before, at once or a while later', () => {
    const at = which.at.toISOString();
    const now = rotateSecret(which, application, { secretSha256: 'bb', keepMs: 0 });
    expect(now?.state.secrets).toEqual([{ sha256: 'bb', createdAt: at, expiresAt: null }]);
    expect(issuedBefore(now)).toBe(at);
    const later = rotateSecret(which, application, { secretSha256: 'bb', keepMs: 60_000 });
    expect(later?.state.secrets).toEqual([
      { sha256: 'bb', createdAt: at, expiresAt: null },
      { sha256: 'aa', createdAt: at, expiresAt: '2026-11-25T12:01:00.000Z' },
    ]);
    expect(issuedBefore(later)).toBeUndefined();
    const again = { ...which, at: new Date('2026-11-25T12:02:00.000Z') };
    expect(
      rotateSecret(again, later?.state ?? application, { secretSha256: 'cc', keepMs: 60_000 })?.state.secrets,
    ).toEqual([
      { sha256: 'cc', createdAt: again.at.toISOString(), expiresAt: null },
      { sha256: 'bb', createdAt: at, expiresAt: '2026-11-25T12:03:00.000Z' },
    ]);
  });

  test('that gets another secret in the same moment loses the tokens in between as well', () => {
    const first = rotateSecret(which, application, { secretSha256: 'bb', keepMs: 0 });
    const second = rotateSecret(which, first?.state ?? application, { secretSha256: 'cc', keepMs: 0 });
    expect([issuedBefore(second), second?.state.tokensFrom]).toEqual(Array(2).fill('2026-11-25T12:00:00.001Z'));
  });

  test('that is deleted is gone at once, with every token that it ever got', () => {
    const removed = remove(which, application);
    expect(types(removed)).toEqual(['client.deleted', 'client.revoked']);
    expect(issuedBefore(removed)).toBeNull();
    expect(removed && applications.expiresAt?.(removed.state)).toEqual(which.at);
  });

  test('that was stored before is what it was then', () => {
    const {
      kind: _,
      origins: __,
      authentication: ___,
      tenants: ____,
      defaultResource: _____,
      defaultScopes: ________,
      dpopRequired: ______,
      securityProfile: _______,
      ...version4
    } = application;
    const secrets = [{ sha256: 'aa', expiresAt: null }];
    const expected = { ...application, secrets: [{ sha256: 'aa', createdAt: null, expiresAt: null }] };
    expect(applications.upgrade?.({ ...version4, secrets }, 4)).toEqual(expected);
    const { areas: _a, surface: _b, pkceRequired: _c, tokensFrom: _d, initiateLoginUri: _e, ...rest } = version4;
    const version1 = { ...rest, secrets: undefined, secretSha256: 'aa' };
    expect(applications.upgrade?.({ ...version1, status: 'active' }, 1)).toMatchObject({ ...expected });
    expect(applications.upgrade?.({ ...version1, status: 'deleted' }, 1)).toMatchObject({ secrets: [] });
    const machine = { ...version4, secrets, grantTypes: ['client_credentials'] };
    expect(applications.upgrade?.(machine, 4)).toMatchObject({ kind: 'machine' });
    const { defaultScopes: _f, ...version6 } = { ...application, backchannelLogoutUri: 'https://app.example/out' };
    expect(applications.upgrade?.(version6, 6)).toEqual({ ...version6, defaultScopes: [] });
  });

  test('that proves itself in another way has no secrets from before, and no tokens', () => {
    const byKey = { method: 'private_key_jwt', jwksUri: 'https://app.example/jwks' } as const;
    const changed = update(which, application, { authentication: byKey });
    expect([changed?.state.secrets, issuedBefore(changed)]).toEqual([[], which.at.toISOString()]);
    expect(() => rotateSecret(which, changed?.state ?? application, { secretSha256: 'bb', keepMs: 0 })).toThrow(
      'The application has no secret',
    );
    const back = update(which, changed?.state ?? application, { authentication: { method: 'client_secret' } });
    expect(back?.state.secrets).toEqual([]);
  });

  test('of the platform that serves a tenant no more has no tokens from before', () => {
    const [one, other] = [newId('tenant'), newId('tenant')];
    const serving = update(which, application, { tenants: [one, other] });
    const before = serving?.state ?? application;
    expect(issuedBefore(update(which, before, { tenants: [one] }))).toBe(which.at.toISOString());
    expect(issuedBefore(update(which, before, { tenants: [one, newId('tenant')] }))).toBe(which.at.toISOString());
    const all = update(which, before, { tenants: 'all' });
    expect(issuedBefore(update(which, all?.state ?? application, { tenants: [one, other] }))).toBe(
      which.at.toISOString(),
    );
    // One more takes nothing from those who are there.
    for (const tenants of ['all', [one, other, newId('tenant')], [other, one]] as const)
      expect(issuedBefore(update(which, before, { tenants: tenants as never }))).toBeUndefined();
  });
});
