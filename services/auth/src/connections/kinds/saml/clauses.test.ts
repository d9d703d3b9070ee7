import { expect, test } from '@jest/globals';
import { clausesOf } from './clauses.ts';
import type { Complete, Settings } from './settings.ts';

const settings: Complete = {
  idp: {
    entityId: 'https://idp.example',
    sso: { redirect: 'https://idp.example/sso' },
    slo: {},
    certificates: ['a certificate'],
    wantsSignedRequests: false,
    validUntil: null,
  },
  pinnedHosts: [],
  metadataUrl: 'https://idp.example/metadata',
  keys: [],
  allowIdpInitiated: false,
  signRequests: false,
  wantEncrypted: true,
  singleLogout: true,
  wantSigned: 'either',
  idpInitiatedClientId: null,
};
const brokenBy = (changed: Partial<Settings>) =>
  clausesOf({ ...settings, ...changed })
    .filter(({ holds }) => holds === false)
    .map(({ id }) => id);

test('with encryption none is broken', () => {
  expect(brokenBy({})).toEqual([]);
});

test.each<[string, Partial<Settings>, string]>([
  ['assertions that need not be encrypted', { wantEncrypted: false }, 'assertion_encrypted'],
  ['sign-ins that begin at the provider', { allowIdpInitiated: true }, 'no_unsolicited_assertions'],
  ['an address without TLS', { idp: { ...settings.idp, slo: { redirect: 'http://idp.example/slo' } } }, 'tls'],
])('%s break a clause', (_, changed, id) => {
  expect(brokenBy(changed)).toEqual([id]);
});

test('what is broken says what to do about it', () => {
  for (const { holds, whatToDo } of clausesOf({ ...settings, wantEncrypted: false, allowIdpInitiated: true }))
    if (holds === false) expect(whatToDo).not.toBeNull();
});
