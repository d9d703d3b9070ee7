import { describe, expect, test } from '@jest/globals';
import {
  type Assertion,
  checkedAssertion,
  namesIn,
  resourceOf,
  scopesOf,
  subjectIn,
  wrongInBinding,
  wrongInSignIn,
} from './identity-assertion.ts';

const now = new Date('2026-11-27T12:00:00Z');
const seconds = now.getTime() / 1_000;
const good: Assertion = {
  iss: 'https://idp.example',
  sub: 'ada',
  aud: 'https://auth.example',
  client_id: 'cli',
  jti: 'one',
  iat: seconds,
  exp: seconds + 300,
};
const expected = {
  issuer: good.iss,
  tenantClaim: null,
  audience: good.aud,
  clientId: 'cli',
  tenantNames: ['ten', 'acme'],
  now,
};
const check = (more: object, of: object = {}) => checkedAssertion({ ...good, ...more }, { ...expected, ...of });

describe('an assertion', () => {
  test('is taken as it is, to the last second of what clocks may differ by', () => {
    expect(check({})).toEqual(good);
    expect(check({ iat: seconds - 320, exp: seconds - 29 })).not.toHaveProperty('refused');
    expect(check({ iat: seconds - 330, exp: seconds - 30 })).toHaveProperty('refused', 'time');
    expect(check({ iat: seconds + 30, exp: seconds + 330 })).not.toHaveProperty('refused');
    expect(check({ iat: seconds + 31, exp: seconds + 331 })).toHaveProperty('refused', 'time');
    expect(check({ exp: seconds + 301 })).toHaveProperty('refused', 'time');
    expect(check({ iat: seconds + 20, exp: seconds + 20 })).toHaveProperty('refused', 'time');
  });

  test('says its tenant exactly, where it has one, and none where it has none', () => {
    expect(check({ tenant: 'a' }, { tenantClaim: 'a' })).toMatchObject({ tenant: 'a' });
    expect(check({}, { tenantClaim: 'a' })).toHaveProperty('refused', 'tenant');
    expect(check({ tenant: 'a' })).toHaveProperty('refused', 'tenant');
    expect(check({ aud_tenant: 'acme' })).not.toHaveProperty('refused');
    expect(check({ aud_tenant: 'other' })).toHaveProperty('refused', 'tenant');
  });

  test('is read before it is verified where it has one meaning, and for whose keys to ask alone', () => {
    const part = (text: string) => Buffer.from(text).toString('base64url');
    const of = (header: string, claims: string) => namesIn(`${part(header)}.${part(claims)}.AAAA`);
    expect(of('{"alg":"ES256"}', '{"iss":"a","tenant":7}')).toEqual({ issuer: 'a', tenant: 7 });
    expect(of('{"alg":"ES256","jku":"x"}', '{"iss":"a"}')).toBeNull();
    expect(of('{"alg":"ES256","alg":"none"}', '{"iss":"a"}')).toBeNull();
    expect(of('{"alg":"ES256"}', '{"iss":"a","iss":"b"}')).toBeNull();
    expect(of('{"alg":"ES256"}', '["iss"]')).toBeNull();
    expect(of('{"alg":"ES256"}', '{}')).toBeNull();
    expect(namesIn('')).toBeNull();
    expect(namesIn(`${part('{"alg":"ES256"}')}.${part('{"iss":"a"}')}.AB`)).toBeNull();
  });
});

test('a name of SAML is compared with all that is said of it', () => {
  const nameId = { format: 'persistent', nameQualifier: null, spNameQualifier: null };
  const of = { entityId: 'https://idp.example/saml', nameId };
  const named = { format: 'saml-nameid', issuer: of.entityId, nameid: 'ada', nameid_format: 'persistent' } as const;
  expect(subjectIn({ ...good, sub_id: named }, of)).toBe('ada');
  const qualified = { ...of, nameId: { ...nameId, nameQualifier: of.entityId } };
  // As a sign-in reads it: the provider's own qualifier is none.
  expect(subjectIn({ ...good, sub_id: { ...named, name_qualifier: of.entityId } }, qualified)).toBe('ada');
  expect(subjectIn({ ...good, sub_id: { ...named, name_qualifier: of.entityId } }, of)).toHaveProperty('refused');
  expect(subjectIn({ ...good, sub_id: named }, qualified)).toHaveProperty('refused');
  expect(subjectIn(good, of)).toHaveProperty('refused');
  expect(subjectIn(good, { ...of, nameId: null })).toBe('ada');
  expect(subjectIn({ ...good, sub_id: named }, { ...of, nameId: null })).toHaveProperty('refused');
});

test('one API is the one that is asked for, that the assertion says, or that there is', () => {
  const policies = ['a', 'b'];
  expect(resourceOf({ resources: ['b'], ofClaim: ['a', 'b'], policies })).toBe('b');
  expect(resourceOf({ resources: [], ofClaim: ['a'], policies })).toBe('a');
  expect(resourceOf({ resources: ['a'], ofClaim: undefined, policies })).toBe('a');
  expect(resourceOf({ resources: [], ofClaim: undefined, policies: ['a'] })).toBe('a');
  for (const asked of [
    { resources: [], ofClaim: undefined, policies },
    { resources: [], ofClaim: ['a', 'b'], policies },
    { resources: ['a', 'b'], ofClaim: ['a', 'b'], policies },
    { resources: ['b'], ofClaim: ['a'], policies },
    { resources: ['a'], ofClaim: ['a', 'c'], policies },
    { resources: ['c'], ofClaim: undefined, policies },
  ])
    expect(resourceOf(asked)).toHaveProperty('refused', 'resource');
});

test('nobody gets a scope that any of those who say something of it does not allow', () => {
  expect(scopesOf(['a', 'b', 'c'], undefined, ['c', 'b', 'x'], ['b', 'c'])).toEqual(['b', 'c']);
  expect(scopesOf(['a'], ['b'])).toHaveProperty('refused', 'scope');
  expect(scopesOf(['a'], [])).toHaveProperty('refused', 'scope');
});

test('what is bound to a key needs it, and what has to be bound one', () => {
  const none = { jkt: undefined, requireDpop: false };
  const bound = { ...good, cnf: { jkt: 'k' } };
  expect(wrongInBinding(good, none)).toBeNull();
  expect(wrongInBinding(good, { ...none, jkt: 'k' })).toBeNull();
  expect(wrongInBinding(bound, { ...none, jkt: 'k' })).toBeNull();
  expect(wrongInBinding(bound, { ...none, jkt: 'l' })).toHaveProperty('refused', 'proof');
  expect(wrongInBinding(bound, none)).toHaveProperty('refused', 'proof');
  expect(wrongInBinding(good, { ...none, requireDpop: true })).toHaveProperty('refused', 'proof');
});

test('a sign-in that is demanded is one that was shown, and lately', () => {
  const demand = { acrValues: ['high'], maxAgeSeconds: 60 };
  expect(wrongInSignIn({ ...good, acr: 'high', auth_time: seconds - 90 }, demand, now)).toBeNull();
  expect(wrongInSignIn({ ...good, acr: 'high', auth_time: seconds - 91 }, demand, now)).not.toBeNull();
  expect(wrongInSignIn({ ...good, acr: 'high' }, demand, now)).not.toBeNull();
  expect(wrongInSignIn({ ...good, acr: 'low', auth_time: seconds }, demand, now)).not.toBeNull();
  expect(wrongInSignIn(good, { acrValues: [], maxAgeSeconds: null }, now)).toBeNull();
});
