import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { Decision } from '@reeve/store';
import {
  type Client,
  type ClientSettings,
  clients,
  contradictionIn,
  newClientSecret,
  register,
  remove,
  rotateSecret,
  sha256,
  update,
  type Which,
} from './client.ts';

const which: Which = { id: newId('client'), tenantId: newId('tenant'), at: new Date('2026-11-25T12:00:00.000Z') };
const settings: ClientSettings = {
  name: 'An application',
  grantTypes: ['authorization_code'],
  redirectUris: ['https://app.example/cb'],
  postLogoutRedirectUris: [],
  initiateLoginUri: null,
  areas: null,
  surface: null,
  pkceRequired: true,
};
const client: Client = register(which, settings, 'aa').state;
const types = (decision: Decision<Client>) => decision?.events.map(({ type }) => type);
/** From which moment on its tokens count; null for none, undefined where nothing is said. */
const issuedBefore = (decision: Decision<Client>) => {
  const told = decision?.events.find(draft => 'topic' in draft);
  return told && 'topic' in told
    ? (JSON.parse(Buffer.from(told.data).toString()) as { issuedBefore: string | null }).issuedBefore
    : undefined;
};

describe('a client', () => {
  test('keeps the hash of its secret and not the secret', () => {
    const { clientSecret, secretSha256 } = newClientSecret();
    expect(secretSha256).toBe(sha256(clientSecret));
    expect(JSON.stringify(register(which, settings, secretSha256))).not.toContain(clientSecret);
  });

  test('that changes in name leaves its tokens alone; in what it reaches, those from before count no more', () => {
    expect(issuedBefore(update(which, client, { name: 'Other' }))).toBeUndefined();
    const narrowed = update(which, client, { areas: ['webhooks'] });
    expect(types(narrowed)).toEqual(['client.updated', 'client.revoked']);
    expect(issuedBefore(narrowed)).toBe('2026-11-25T12:00:00.000Z');
    expect(update(which, client, { name: client.name })).toBeNull();
  });

  test('that gets a new secret loses the one before, at once or a while later', () => {
    const at = which.at.toISOString();
    const now = rotateSecret(which, client, { secretSha256: 'bb', keepMs: 0 });
    expect(now?.state.secrets).toEqual([{ sha256: 'bb', expiresAt: null }]);
    expect(issuedBefore(now)).toBe(at);
    const later = rotateSecret(which, client, { secretSha256: 'bb', keepMs: 60_000 });
    expect(later?.state.secrets).toEqual([
      { sha256: 'bb', expiresAt: null },
      { sha256: 'aa', expiresAt: '2026-11-25T12:01:00.000Z' },
    ]);
    expect(issuedBefore(later)).toBeUndefined();
    const again = { ...which, at: new Date('2026-11-25T12:02:00.000Z') };
    expect(rotateSecret(again, later?.state ?? client, { secretSha256: 'cc', keepMs: 60_000 })?.state.secrets).toEqual([
      { sha256: 'cc', expiresAt: null },
      { sha256: 'bb', expiresAt: '2026-11-25T12:03:00.000Z' },
    ]);
  });

  test('that gets another secret in the same moment loses the tokens in between as well', () => {
    const first = rotateSecret(which, client, { secretSha256: 'bb', keepMs: 0 });
    const second = rotateSecret(which, first?.state ?? client, { secretSha256: 'cc', keepMs: 0 });
    expect([issuedBefore(second), second?.state.tokensFrom]).toEqual(Array(2).fill('2026-11-25T12:00:00.001Z'));
  });

  test('that is deleted is gone at once, with every token that it ever got', () => {
    const removed = remove(which, client);
    expect(types(removed)).toEqual(['client.deleted', 'client.revoked']);
    expect(issuedBefore(removed)).toBeNull();
    expect(removed && clients.expiresAt?.(removed.state)).toEqual(which.at);
  });

  test('needs an address to send people back to, and a code to refresh', () => {
    expect(contradictionIn(settings)).toBeNull();
    expect(contradictionIn({ ...settings, redirectUris: [] })?.field).toBe('redirectUris');
    expect(contradictionIn({ grantTypes: ['refresh_token'], redirectUris: [] })?.field).toBe('grantTypes');
    expect(contradictionIn({ grantTypes: ['client_credentials'], redirectUris: [] })).toBeNull();
  });

  test('that was stored before has its one secret, reaches everywhere, and stays deleted where it was', () => {
    const { secrets: _, areas: __, surface: ___, pkceRequired: ____, ...rest } = client;
    const before = { ...rest, secretSha256: 'aa' };
    expect(clients.upgrade?.({ ...before, status: 'active' }, 1)).toEqual(client);
    expect(clients.upgrade?.({ ...before, status: 'deleted' }, 1)).toMatchObject({ secrets: [] });
  });
});
