import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { acrOfLevel, type StepUp } from '../factors/level.ts';
import type { Session } from '../sessions/session.ts';
import { claimsOf, decideVouching, isRefused, type Vouched } from './vouching.ts';
import { remove, subjectOf, update, type VouchingPolicy, viewOf, vouchingPolicySettings } from './vouching-policy.ts';

const now = new Date('2026-11-27T12:00:00Z');
const before = (seconds: number) => new Date(now.getTime() - seconds * 1_000).toISOString();
const [sales, support] = [newId('group'), newId('group')];
const [one, other] = ['https://notes.example/mcp', 'https://files.example'];
const policy: VouchingPolicy = {
  clientId: newId('client'),
  audience: 'https://as.example',
  audienceClientId: 'desk',
  resources: [one, other],
  scopes: ['read', 'write', 'email'],
  groups: [],
  acrValues: [],
  maxAgeSeconds: null,
  createdAt: now.toISOString(),
};
const session = {
  userId: newId('user'),
  email: 'ada@acme.example',
  emailVerified: true,
  amr: ['fed', 'pwd'],
  acr: 'high',
  authenticatedAt: before(100),
} as Session;

type Asked = Partial<Omit<Parameters<typeof decideVouching>[0], 'policy' | 'session'>>;

function decide(asked: Asked & { policy?: Partial<VouchingPolicy> | null; session?: Partial<Session> }) {
  const { policy: more = {}, session: of = {}, ...rest } = asked;
  const entry = more && { id: newId('vouchingPolicy'), version: 1, state: { ...policy, ...more } };
  const usual = { resources: [one], scopes: undefined, now };
  return decideVouching({ ...usual, ...rest, policy: entry as never, session: { ...session, ...of } });
}

const granted = (decision: ReturnType<typeof decide>): Vouched => {
  if (isRefused(decision)) throw new Error(decision.detail);
  return decision;
};

describe('what Reeve vouches for', () => {
  test('is what is asked for of what the policy names, in its order, and never more', () => {
    expect(granted(decide({}))).toMatchObject({ resources: [one], scopes: ['read', 'write', 'email'] });
    expect(granted(decide({ scopes: ['write', 'admin', 'read'] })).scopes).toEqual(['read', 'write']);
    expect(granted(decide({ resources: [other, one] })).resources).toEqual([other, one]);
  });

  test('is for the only API where none is named, and for none where the policy names none', () => {
    expect(granted(decide({ resources: [], policy: { resources: [other] } })).resources).toEqual([other]);
    expect(granted(decide({ resources: [], policy: { resources: [] } })).resources).toEqual([]);
  });

  const delegate = { clientId: newId('client'), name: 'A bot', by: 'bot', key: 'x' } as const;
  test.each<[string, Parameters<typeof decide>[0], string]>([
    ['in a session in which somebody acts for the person', { session: { delegate } }, 'delegated'],
    ['without a policy', { policy: null }, 'audience'],
    ['for somebody in another group', { policy: { groups: [sales] }, session: { groups: [support] } }, 'group'],
    ['for somebody whose groups are not known', { policy: { groups: [sales] } }, 'group'],
    ['after a sign-in that is too old', { policy: { maxAgeSeconds: 99 } }, 'authentication'],
    ['after one of another level', { policy: { acrValues: ['higher'] } }, 'authentication'],
    ['after one of no level', { policy: { acrValues: ['high'] }, session: { acr: null } }, 'authentication'],
    ['for an API that the policy does not name', { resources: [one, `${one}/`] }, 'resource'],
    ['for no API of several', { resources: [] }, 'resource'],
    ['for an API where the policy names none', { policy: { resources: [] } }, 'resource'],
    ['for scopes that the policy does not name', { scopes: ['admin'] }, 'scope'],
    ['for no scope at all', { scopes: [] }, 'scope'],
  ])('is nothing %s', (_name, asked, because) => {
    expect(decide(asked)).toMatchObject({ refused: because });
    expect(isRefused(decide({}))).toBe(false);
  });

  test('is enough for a policy whose demands are met', () => {
    const demanding = { groups: [sales, support], acrValues: ['higher', 'high'], maxAgeSeconds: 100 };
    expect(isRefused(decide({ policy: demanding, session: { groups: [support] } }))).toBe(false);
    const stepUp = { level: 'mfa', by: 'totp', factorId: 'x', amr: ['otp', 'mfa'], at: before(1) } satisfies StepUp;
    const level = acrOfLevel('mfa');
    expect(isRefused(decide({ policy: { acrValues: [level] }, session: { stepUp } }))).toBe(false);
    expect(decide({ policy: { acrValues: [level] } })).toMatchObject({ refused: 'authentication' });
  });
});

describe('what it says of the person', () => {
  const tenantId = newId('tenant');
  const said = (asked: Parameters<typeof decide>[0], more: { jkt?: string; session?: Partial<Session> } = {}) =>
    claimsOf({
      ...granted(decide(asked)),
      tenantId,
      session: { ...session, ...more.session },
      jkt: more.jkt,
    });

  test('is which tenant they are of, how they have signed in, and for what', () => {
    expect(said({ scopes: ['read'] })).toEqual({
      tenant: tenantId,
      client_id: 'desk',
      scope: 'read',
      resource: one,
      auth_time: now.getTime() / 1_000 - 100,
      amr: ['fed', 'pwd'],
      acr: 'high',
    });
    expect(said({ scopes: ['read'], resources: [one, other] })).toMatchObject({ resource: [one, other] });
    const none = said({ resources: [], policy: { resources: [] }, session: {} }, { session: { acr: null } });
    expect(Object.keys(none)).toEqual(['tenant', 'client_id', 'scope', 'auth_time', 'amr', 'email']);
  });

  test('is bound to the key that was proven', () => {
    expect(said({}, { jkt: 'x' })).toMatchObject({ cnf: { jkt: 'x' } });
  });

  test('holds an address where the scopes have it, and where it is the person’s own', () => {
    expect(said({ scopes: ['email'] })['email']).toBe('ada@acme.example');
    expect(said({ scopes: ['read'] })).not.toHaveProperty('email');
    expect(
      said({ scopes: ['email'], policy: { scopes: ['email'] } }, { session: { emailVerified: false } }),
    ).not.toHaveProperty('email');
    expect(said({ scopes: ['email'] }, { session: { email: null } })).not.toHaveProperty('email');
  });
});

describe('a policy', () => {
  const id = newId('vouchingPolicy');

  test('that changes or goes is told, and one that stays as it is not', () => {
    expect(update(id, policy, { scopes: ['read'] })).toMatchObject({
      state: { scopes: ['read'], resources: policy.resources },
      events: [{ type: 'policy.updated', details: { kind: 'vouching', name: id, changed: ['scopes'] } }],
    });
    expect(update(id, policy, { scopes: policy.scopes })).toBeNull();
    expect(remove(id, policy, now)).toMatchObject({ state: { deletedAt: now }, events: [{ type: 'policy.updated' }] });
  });

  test('is the only one for an application and an authorization server', () => {
    const { clientId, audience } = policy;
    expect(subjectOf(policy)).toBe(subjectOf({ clientId, audience }));
    expect(subjectOf({ clientId, audience: `${audience}/` })).not.toBe(subjectOf(policy));
  });

  const { createdAt: _, ...settings } = policy;
  test.each<[string, object]>([
    ['an audience with a fragment', { audience: 'https://as.example#x' }],
    ['an audience with a query', { audience: 'https://as.example?x' }],
    ['an audience that is not encrypted', { audience: 'http://as.example' }],
    ['an audience with credentials', { audience: 'https://me@as.example' }],
    ['an audience that is no URL', { audience: 'as.example' }],
    ['a resource with a fragment', { resources: ['https://notes.example#x'] }],
    ['a resource that is a path', { resources: ['/notes'] }],
    ['a resource twice', { resources: [one, one] }],
    ['no scope', { scopes: [] }],
    ['a scope twice', { scopes: ['read', 'read'] }],
    ['two scopes in one', { scopes: ['read write'] }],
    ['a group by its name', { groups: ['Sales'] }],
    ['an application that nobody registered', { clientId: 'https://app.example/client.json' }],
    ['something unknown', { reuse: 'once' }],
  ])('is not taken with %s', (_name, more) => {
    expect(vouchingPolicySettings.safeParse({ ...settings, ...more }).success).toBe(false);
    expect(vouchingPolicySettings.safeParse(settings).success).toBe(true);
  });

  test('is shown as it was said', () => {
    expect(viewOf({ id, version: 1, state: { ...policy, deletedAt: now } } as never)).toEqual({ id, ...policy });
  });
});
