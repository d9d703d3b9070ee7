import { describe, expect, test } from '@jest/globals';
import { clausesOf } from './clauses.ts';
import { type Settings, settingsSchema } from './settings.ts';

const issuer = 'https://idp.example';
const best = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  id_token_signing_alg_values_supported: ['ES256', 'PS256', 'EdDSA'],
  authorization_response_iss_parameter_supported: true,
};
const clientKey = { kty: 'EC', kid: 'k', alg: 'ES256', use: 'sig' } as const;
const asStored = (value: object): unknown => JSON.parse(JSON.stringify(value));
const settings = (metadata: object = {}, more: Partial<Settings> = {}): Settings =>
  settingsSchema.parse(asStored({ metadata: { ...best, ...metadata }, clientId: 'reeve', clientKey, ...more }));
const withoutKey = (): Settings => settingsSchema.parse({ metadata: best, clientId: 'reeve' });
const holds = (of: Settings, id: string) => clausesOf(of).find(one => one.id === id)?.holds;
const brokenBy = (of: Settings) =>
  clausesOf(of)
    .filter(one => one.holds === false)
    .map(({ id }) => id);

/** What our code does not do, whatever the provider is like. */
const missing = ['audience_one_text', 'dpop', 'third_party_initiated_login'];

test('with the best of providers, what we do not do ourselves is broken and nothing else', () => {
  expect(brokenBy(settings())).toEqual(missing);
});

test('each clause is named once, and what is broken or unknown says why', () => {
  const clauses = clausesOf(settings());
  expect(new Set(clauses.map(({ id }) => id)).size).toBe(clauses.length);
  for (const { why } of clauses) expect(why).not.toBe('');
});

describe('a clause is broken by', () => {
  test.each([
    ['RS256, which IPSIE bans', { id_token_signing_alg_values_supported: ['RS256', 'ES256'] }, 'id_token_algorithm'],
    ['metadata that names no algorithm', { id_token_signing_alg_values_supported: undefined }, 'id_token_algorithm'],
    ['a provider without iss', { authorization_response_iss_parameter_supported: false }, 'iss_in_answer'],
    ['one that says nothing of iss', { authorization_response_iss_parameter_supported: undefined }, 'iss_in_answer'],
    ['an endpoint without TLS', { token_endpoint: 'http://idp.example/token' }, 'tls'],
    ['UserInfo without TLS', { userinfo_endpoint: 'http://idp.example/me' }, 'tls'],
  ])('%s', (_, metadata, id) => {
    expect(brokenBy(settings(metadata))).toEqual(expect.arrayContaining([id]));
    expect(brokenBy(settings(metadata))).toHaveLength(missing.length + 1);
  });

  test('an issuer of many directories', () => {
    const template = 'https://login.example/{tenantid}/v2.0';
    const many = settings(
      { issuer: template },
      { authority: 'https://login.example/common/v2.0', entraTenants: ['t'] },
    );
    expect(brokenBy(many)).toEqual(['issuer_discovered', ...missing]);
  });
});

test('a key of ours is known to be long enough; of a secret nobody knows', () => {
  expect([holds(settings(), 'client_credential'), holds(withoutKey(), 'client_credential')]).toEqual([true, null]);
});

test('what only the provider does is neither said to hold nor to be broken', () => {
  for (const { who, holds: said } of clausesOf(settings())) if (who === 'identity_service') expect(said).toBeNull();
});
