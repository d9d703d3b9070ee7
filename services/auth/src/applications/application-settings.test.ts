import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { applicationSettings, contradictionIn, kinds } from './application-settings.ts';

const publicKey = (type: 'ec' | 'rsa' | 'ed25519', options: object = {}) =>
  generateKeyPairSync(type as 'rsa', options as { modulusLength: number }).publicKey.export({ format: 'jwk' });
const p256 = publicKey('ec', { namedCurve: 'P-256' });
const secretKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });

const uris = ['https://app.example/cb'];
const usual = {
  kind: 'web',
  grantTypes: ['authorization_code', 'refresh_token'],
  redirectUris: uris,
  postLogoutRedirectUris: [],
  backchannelLogoutUri: null,
  origins: [],
  authentication: { method: 'client_secret' },
  pkceRequired: true,
  dpopRequired: false,
  securityProfile: null,
} as const;
const byKey = { method: 'private_key_jwt', jwksUri: 'https://app.example/jwks' };

describe('settings of an application', () => {
  const { redirectUris, origins, authentication } = applicationSettings.shape;

  test.each([
    [['com.example.app:/cb'], true],
    [['com.example.app://cb'], true],
    [['app:/cb'], false],
    [['javascript:alert(1)'], false],
    [['data:text/html,x'], false],
    [['http://app.example/cb'], false],
    [['https://ok.example\\@evil.example/cb'], false],
    [['https://app.example/a b'], false],
  ])('redirect URIs %j: %s', (given, isTaken) => {
    expect(redirectUris.safeParse(given).success).toBe(isTaken);
  });

  test.each([
    ['https://app.example', true],
    ['http://localhost:3000', true],
    ['https://app.example/', false],
    ['https://APP.example', false],
    ['https://app.example/path', false],
    ['null', false],
    ['*', false],
    ['https://*.example', false],
    ['com.example.app:', false],
  ])('an origin %s: %s', (given, isTaken) => {
    expect(origins.safeParse([given]).success).toBe(isTaken);
  });

  test.each<[string, object, boolean]>([
    ['P-256', p256, true],
    ['Ed25519', publicKey('ed25519'), true],
    ['RSA of 2048 bit', publicKey('rsa', { modulusLength: 2_048 }), true],
    ['RSA of 1024 bit', publicKey('rsa', { modulusLength: 1_024 }), false],
    ['P-384', publicKey('ec', { namedCurve: 'P-384' }), false],
    ['a secret key', secretKey, false],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }, false],
    ['one for encryption', { ...p256, use: 'enc' }, false],
    ['one that is off its curve', { ...p256, x: p256['y'], y: p256['x'] }, false],
    ['nothing', {}, false],
  ])('a key by which it proves itself, %s', (_, key, isTaken) => {
    expect(authentication.safeParse({ method: 'private_key_jwt', jwks: { keys: [key] } }).success).toBe(isTaken);
  });

  test('go together as is usual for each kind', () => {
    for (const [kind, { usualGrantTypes, authentication: methods }] of Object.entries(kinds)) {
      const [method] = methods;
      const redirects = usualGrantTypes.some(one => one === 'authorization_code') ? uris : [];
      const settings = {
        ...usual,
        kind,
        grantTypes: [...usualGrantTypes],
        redirectUris: redirects,
        authentication: { method },
      };
      expect(contradictionIn(settings as never)).toBeNull();
    }
  });

  test.each<[object, string]>([
    [{ redirectUris: [] }, 'redirectUris'],
    [{ grantTypes: ['refresh_token'] }, 'grantTypes'],
    [{ kind: 'machine' }, 'grantTypes'],
    [{ kind: 'machine', grantTypes: ['client_credentials'] }, 'redirectUris'],
    [{ kind: 'device', grantTypes: ['device_code'], redirectUris: [], origins: ['https://a.example'] }, 'origins'],
    [{ kind: 'single_page', grantTypes: ['client_credentials'] }, 'grantTypes'],
    [{ kind: 'single_page' }, 'authentication.method'],
    [
      { kind: 'native', authentication: { method: 'private_key_jwt', jwksUri: 'https://app.example/' } },
      'authentication.method',
    ],
    [{ authentication: { method: 'none' } }, 'authentication.method'],
    [{ authentication: { method: 'private_key_jwt' } }, 'authentication'],
    [
      { authentication: { method: 'private_key_jwt', jwksUri: 'https://a.example/', jwks: { keys: [] } } },
      'authentication',
    ],
    [{ kind: 'native', authentication: { method: 'none' }, pkceRequired: false }, 'pkceRequired'],
    [{ securityProfile: 'fapi2' }, 'authentication.method'],
    [{ securityProfile: 'fapi2', authentication: byKey }, 'dpopRequired'],
    [{ securityProfile: 'fapi2', authentication: byKey, dpopRequired: true, pkceRequired: false }, 'pkceRequired'],
    [{ redirectUris: [...uris, 'com.example.app:/cb'] }, 'redirectUris.1'],
    [{ postLogoutRedirectUris: ['com.example.app:/out'] }, 'postLogoutRedirectUris.0'],
    [
      { kind: 'native', authentication: { method: 'none' }, backchannelLogoutUri: 'https://app.example/out' },
      'backchannelLogoutUri',
    ],
  ])('%j do not go together: %s', (change, field) => {
    expect(contradictionIn({ ...usual, ...change } as never)?.field).toBe(field);
  });
});
