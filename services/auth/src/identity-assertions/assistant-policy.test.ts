import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type AssertionIssuer, accepted, assertionIssuerSchema, set } from './assertion-issuer.ts';
import { type AssistantPolicy, endTokens, remove, update } from './assistant-policy.ts';
import { delegationKey, policyIn } from './delegation.ts';

const id = newId('assistantPolicy');
const at = new Date('2026-11-27T12:00:00Z');
const policy: AssistantPolicy = {
  connectionId: newId('connection'),
  clientId: newId('client'),
  resource: 'https://notes.example',
  scopes: ['notes:read'],
  requireDpop: false,
  acrValues: [],
  maxAgeSeconds: null,
  grantName: newId('grant'),
  createdAt: at.toISOString(),
};

describe('a policy', () => {
  const next = { grantName: newId('grant'), at };
  const voids = (decision: ReturnType<typeof endTokens>) =>
    decision?.events.flatMap(one => ('topic' in one && one.topic === 'reeve.revocations.v1' ? [String(one.key)] : []));

  test('that changes, ends or is to begin anew voids what names it as it was, in the same write', () => {
    const changed = update(id, policy, { ...next, change: { scopes: ['notes:write'] } });
    expect(changed?.state).toMatchObject({ scopes: ['notes:write'], grantName: next.grantName });
    expect(voids(changed)).toEqual([policy.grantName]);
    expect(voids(remove(id, policy, at))).toEqual([policy.grantName]);
    const ended = endTokens(policy, next);
    expect([ended?.state.grantName, voids(ended)]).toEqual([next.grantName, [policy.grantName]]);
  });

  test('that stays as it is voids nothing', () => {
    expect(update(id, policy, { ...next, change: { scopes: ['notes:read'] } })).toBeNull();
  });

  test('is found by the session that rests on it, in which nobody stands by name', () => {
    const key = delegationKey(id, 'ada');
    expect(policyIn(key)).toBe(id);
    expect(key).not.toContain('ada');
    expect(delegationKey(id, 'ada')).toBe(key);
    expect(delegationKey(id, 'bob')).not.toBe(key);
  });
});

describe('the word of a connection for others', () => {
  const publishes = { issuer: 'https://idp.example', jwksUri: 'https://idp.example/keys' };
  const about = { connection: { kind: 'oidc' }, publishes, ownIssuer: 'https://auth.example' } as const;
  const accept = (settings: object, of: object = {}): AssertionIssuer =>
    accepted({ ...about, ...of, settings: assertionIssuerSchema.parse(settings) });
  const fieldOf = (work: () => unknown) => {
    try {
      return work() && null;
    } catch (error) {
      return (error as { errors?: { field: string }[] }).errors?.[0]?.field;
    }
  };
  const nameId = { format: 'persistent' };
  const own = { issuer: 'https://other.example', jwksUri: 'https://other.example/keys' };

  test('is by the keys of its provider, or by others that are named', () => {
    expect(accept({})).toMatchObject({ issuer: publishes.issuer, jwksUri: null, reuse: 'once', enabled: true });
    expect(accept(own)).toMatchObject(own);
  });

  test.each<[string, object, object, string]>([
    ['an issuer without keys', { issuer: own.issuer }, {}, 'jwksUri'],
    ['keys without an issuer', { jwksUri: own.jwksUri }, {}, 'issuer'],
    ['a provider that publishes none', {}, { publishes: null }, 'issuer'],
    ['ourselves', { ...own, issuer: about.ownIssuer }, {}, 'issuer'],
    ['a name of SAML for another kind', { nameId }, {}, 'nameId'],
    ['SAML without a name', own, { connection: { kind: 'saml' } }, 'nameId'],
  ])('is not taken with %s', (_name, settings, of, field) => {
    expect(fieldOf(() => accept(settings, of))).toBe(field);
  });

  test('takes no algorithm by which a secret signs', () => {
    expect(assertionIssuerSchema.safeParse({ algorithms: ['HS256'] }).success).toBe(false);
    expect(assertionIssuerSchema.safeParse({ algorithms: [] }).success).toBe(false);
  });

  test('changes where something of it does', () => {
    const state = accept({});
    expect(set('con', state, state)).toBeNull();
    expect(set('con', state, accept({ reuse: 'until_expiry' }))?.events).toMatchObject([
      { type: 'policy.updated', details: { kind: 'identity-assertions', changed: ['reuse'] } },
    ]);
  });
});
