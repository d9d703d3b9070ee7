import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { activate, type Connection, commonSettings, connections, draft, remove, update } from './connection.ts';

const id = newId('connection');
const drafted: Connection = {
  name: 'Acme',
  kind: 'oidc',
  status: 'draft',
  settings: { clientId: 'reeve' },
  issuer: 'https://idp.example',
  domains: ['acme.example'],
  trustEmail: false,
  jit: { enabled: false, defaultRoles: ['tenant_member'] },
  secretSetAt: '2026-11-25T12:00:00.000Z',
  createdAt: '2026-11-25T12:00:00.000Z',
};
const active: Connection = { ...drafted, status: 'active' };

describe('a connection', () => {
  test('lets nobody in before it is activated, which it is once', () => {
    const { status: _, ...asked } = active;
    expect(draft(id, asked)).toMatchObject({ state: drafted, events: [{ type: 'connection.created' }] });
    expect(activate(id, drafted)).toMatchObject({ state: active, events: [{ type: 'connection.activated' }] });
    expect(activate(id, active)).toBeNull();
  });

  test('that is changed says what changed and not to what', () => {
    const changed = update(id, active, { settings: { clientId: 'other' }, secretSetAt: '2026-11-26T00:00:00.000Z' });
    expect(changed?.state).toMatchObject({ status: 'active', settings: { clientId: 'other' } });
    expect(changed?.events).toMatchObject([
      { type: 'connection.updated', details: { changed: ['settings', 'secretSetAt'] } },
    ]);
    expect(JSON.stringify(changed?.events)).not.toContain('other');
  });

  test('that is changed to what it is does not change', () => {
    expect(update(id, active, { name: 'Acme', domains: ['acme.example'], settings: { clientId: 'reeve' } })).toBeNull();
    expect(update(id, active, {})).toBeNull();
  });

  test('that moves to another issuer says the new one', () => {
    const moved = update(id, active, { issuer: 'https://new.example' });
    expect(moved?.events[0]).toMatchObject({ details: { issuer: 'https://new.example', changed: ['issuer'] } });
  });

  test('that is deleted is gone from that moment on', () => {
    const at = new Date('2026-11-26T00:00:00.000Z');
    const removed = remove(id, active, at);
    expect(removed?.events).toMatchObject([{ type: 'connection.deleted' }]);
    expect(removed && connections.expiresAt?.(removed.state)).toEqual(at);
    expect(connections.expiresAt?.(active)).toBeNull();
  });

  test('that was stored when OpenID Connect was all there was speaks for no domain', () => {
    const { settings: _, domains: __, secretSetAt: ___, ...rest } = active;
    const before = { ...rest, metadata: '{"issuer":"https://idp.example"}', clientId: 'reeve' };
    expect(connections.upgrade?.(before, 1)).toEqual({
      ...active,
      domains: [],
      settings: { metadata: { issuer: 'https://idp.example' }, clientId: 'reeve' },
    });
  });
});

test.each([
  ['roles that administer', { jit: { enabled: true, defaultRoles: ['tenant_admin'] } }],
  ['51 domains', { domains: Array.from({ length: 51 }, (_, index) => `d${index}.example`) }],
  ['a domain of another script', { domains: ['\u0430cme.example'] }],
  ['a top-level domain', { domains: ['example'] }],
  ['a word for yes', { trustEmail: 'true' }],
])('nobody may say of a connection: %s', (_, settings) => {
  const said = {
    name: 'Acme',
    domains: [],
    trustEmail: false,
    jit: { enabled: true, defaultRoles: ['tenant_auditor'] },
  };
  expect(commonSettings.safeParse(said).success).toBe(true);
  expect(commonSettings.safeParse({ ...said, ...settings }).success).toBe(false);
});
