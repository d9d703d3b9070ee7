import { expect, test } from '@jest/globals';
import { newEventId, newId, serviceCause } from '@reeve/contracts';
import { createLogger } from '@reeve/service-kit';
import { asked } from '../connections/connection.test-support.ts';
import type { Connection } from '../connections/connection.ts';
import { effective } from '../surface-policies/surface-policy.ts';
import type { LiveSession } from './live-sessions.ts';
import { createSingleLogout } from './single-logout.ts';

const cause = serviceCause('auth', { correlationId: 'a-sign-out' });
const session = {
  id: newId('session'),
  tenantId: newId('tenant'),
  state: { connectionId: newId('connection'), providerSession: { nameId: 'ada' } },
} as unknown as LiveSession;
const state: Connection = { ...asked({ kind: 'saml' }), status: 'active' };

function leaving(begin: () => Promise<string | null>, { providerLogout = true } = {}) {
  const lines: string[] = [];
  const kept: unknown[] = [];
  const singleLogout = createSingleLogout({
    connections: { findActive: async (_: unknown, id: string) => ({ id, state }) } as never,
    policies: { find: async () => ({ ...effective('dashboard', {}), providerLogout }) },
    kinds: { saml: { logout: { begin } } } as never,
    records: { put: async (...what: unknown[]) => void kept.push(what) } as never,
    clock: { now: () => new Date(), newEventId },
    log: createLogger('auth', 'info', { write: line => void lines.push(line) }),
  });
  return { lines, kept, left: () => singleLogout.leaveBy(session, 'https://app.example/bye', cause) };
}

test('a sign-out goes by the provider, and keeps where the browser wants to go', async () => {
  const { left, kept } = leaving(async () => 'https://idp.example/slo');
  expect([await left(), kept]).toEqual([
    'https://idp.example/slo',
    [expect.arrayContaining([{ next: expect.any(String) }])],
  ]);
});

test('a sign-out does not go by the provider where the policy says so', async () => {
  const { left, kept } = leaving(async () => 'https://idp.example/slo', { providerLogout: false });
  expect([await left(), kept]).toEqual(['https://app.example/bye', []]);
});

test('a sign-out whose way to the provider cannot be made is one all the same, and the log says why', async () => {
  const { left, lines, kept } = leaving(() => Promise.reject(new Error('the vault is away')));
  expect([await left(), kept]).toEqual(['https://app.example/bye', []]);
  expect(lines.join('')).toContain('the vault is away');
});
