import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import {
  activate,
  type Connection,
  commonSettings,
  connections,
  draft,
  loseDomain,
  remove,
  update,
} from './connection.ts';

const id = newId('connection');
const drafted: Connection = {
  name: 'Acme',
  kind: 'oidc',
  status: 'draft',
  settings: { clientId: 'reeve' },
  issuer: 'https://idp.example',
  domains: ['acme.example'],
  trustEmail: false,
  attributes: {},
  identifier: null,
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

  test('speaks no more for a domain that its tenant has lost, unless by a later claim', () => {
    const two: Connection = { ...active, domains: ['acme.example', 'acme.test'] };
    const lost = { domain: 'acme.example', domainId: 'dom_1' };
    const by = (domainId: string): Connection => ({
      ...two,
      domainProofs: ['acme.example', 'acme.test'].map(domain => ({ domain, domainId })),
    });
    expect(loseDomain(id, two, lost)).toMatchObject({
      state: { domains: ['acme.test'] },
      events: [{ type: 'connection.updated', reason: { code: 'domain_released' }, details: { changed: ['domains'] } }],
    });
    expect(loseDomain(id, by('dom_1'), lost)?.state).toMatchObject({
      domains: ['acme.test'],
      domainProofs: [{ domain: 'acme.test', domainId: 'dom_1' }],
    });
    expect(loseDomain(id, by('dom_2'), lost)).toBeNull();
    expect(loseDomain(id, { ...active, domains: [] }, lost)).toBeNull();
  });

  test('whose domains rest on another proof says that its domains have changed', () => {
    const domainProofs = [{ domain: 'acme.example', domainId: 'dom_1' }];
    expect(update(id, active, { domains: ['acme.example'], domainProofs })?.events).toMatchObject([
      { details: { changed: ['domains'] } },
    ]);
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
  ['an IP address', { domains: ['192.0.2.1'] }],
  ['a word for yes', { trustEmail: 'true' }],
  ['a contact that is several', { contacts: ['it@acme.example,eve@evil.example'] }],
  ['a contact with a header of its own', { contacts: ['it@acme.example\r\nBcc: eve@evil.example'] }],
  ['a contact with a name', { contacts: ['It <it@acme.example>'] }],
  ['six contacts', { contacts: Array.from({ length: 6 }, (_, index) => `it${index}@acme.example`) }],
])('nobody may say of a connection: %s', (_, settings) => {
  const said = {
    name: 'Acme',
    domains: [],
    trustEmail: false,
    contacts: ['it@acme.example'],
    jit: { enabled: true, defaultRoles: ['tenant_auditor'] },
    attributes: {},
    identifier: null,
  };
  expect(commonSettings.safeParse(said).success).toBe(true);
  expect(commonSettings.safeParse({ ...said, ...settings }).success).toBe(false);
});
