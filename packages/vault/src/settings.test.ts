import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { keyManagementSettings, oneKeyManagement } from './settings.ts';

const schema = z.object(keyManagementSettings).superRefine(oneKeyManagement);
const arn = 'arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const transit = {
  REEVE_VAULT_TRANSIT_URL: 'https://openbao.example:8200',
  REEVE_VAULT_TRANSIT_KEY: 'reeve',
  REEVE_VAULT_TRANSIT_TOKEN_FILE: '/run/token',
};
const problemsOf = (settings: object) =>
  schema.safeParse(settings).error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];

describe('where the keys of the vault are', () => {
  test.each([
    ['a key file', { REEVE_VAULT_KEY_FILE: '/run/keys.json' }],
    ['a transit engine, by a token', transit],
    [
      'a transit engine, by the service account',
      { ...transit, REEVE_VAULT_TRANSIT_TOKEN_FILE: undefined, REEVE_VAULT_TRANSIT_ROLE: 'reeve' },
    ],
    ['an agent on this machine', { ...transit, REEVE_VAULT_TRANSIT_URL: 'http://127.0.0.1:8100' }],
    ['AWS KMS', { REEVE_VAULT_KMS_KEY_ARN: arn }],
    ['two, one of which opens only', { ...transit, REEVE_VAULT_KEY_FILE: '/k', REEVE_VAULT_FORMER: 'key_file' }],
  ])('may be %s', (_, settings) => {
    expect(problemsOf(settings)).toEqual([]);
  });

  test.each([
    [
      'none',
      {},
      [
        'REEVE_VAULT_KEY_FILE: one of REEVE_VAULT_KEY_FILE, REEVE_VAULT_TRANSIT_URL, REEVE_VAULT_KMS_KEY_ARN has to be set',
      ],
    ],
    [
      'two',
      { ...transit, REEVE_VAULT_KEY_FILE: '/k' },
      ['REEVE_VAULT_TRANSIT_URL: excludes REEVE_VAULT_KEY_FILE, unless REEVE_VAULT_FORMER names one of the two'],
    ],
    [
      'one, which opens only',
      { REEVE_VAULT_KEY_FILE: '/k', REEVE_VAULT_FORMER: 'key_file' },
      ['REEVE_VAULT_TRANSIT_URL: one of REEVE_VAULT_TRANSIT_URL, REEVE_VAULT_KMS_KEY_ARN has to be set'],
    ],
    [
      'one, and another that is not there',
      { REEVE_VAULT_KEY_FILE: '/k', REEVE_VAULT_FORMER: 'transit' },
      ['REEVE_VAULT_FORMER: REEVE_VAULT_TRANSIT_URL is not set'],
    ],
    [
      'a transit engine without key and token',
      { REEVE_VAULT_TRANSIT_URL: 'https://openbao.example' },
      [
        'REEVE_VAULT_TRANSIT_KEY: is required with REEVE_VAULT_TRANSIT_URL',
        'REEVE_VAULT_TRANSIT_TOKEN_FILE: this or REEVE_VAULT_TRANSIT_ROLE has to be set',
      ],
    ],
    [
      'what is of another kind',
      { REEVE_VAULT_KEY_FILE: '/k', REEVE_VAULT_TRANSIT_KEY: 'reeve', REEVE_VAULT_KMS_ENDPOINT: 'https://kms.example' },
      [
        'REEVE_VAULT_TRANSIT_KEY: is for REEVE_VAULT_TRANSIT_URL',
        'REEVE_VAULT_KMS_ENDPOINT: is for REEVE_VAULT_KMS_KEY_ARN',
      ],
    ],
    [
      'an address without TLS',
      { ...transit, REEVE_VAULT_TRANSIT_URL: 'http://openbao.example:8200' },
      ['REEVE_VAULT_TRANSIT_URL: must be https (http on this machine alone), without credentials'],
    ],
    [
      'a key whose name leads elsewhere',
      { ...transit, REEVE_VAULT_TRANSIT_KEY: '../sys/seal' },
      ['REEVE_VAULT_TRANSIT_KEY: must be letters, digits, dots, hyphens and underscores'],
    ],
    [
      'an alias, which can come to mean another key',
      { REEVE_VAULT_KMS_KEY_ARN: 'arn:aws:kms:eu-central-1:123456789012:alias/reeve' },
      ['REEVE_VAULT_KMS_KEY_ARN: must be the ARN of a key, not of an alias'],
    ],
  ])('is refused by name when it is %s', (_, settings, expected) => {
    expect(problemsOf(settings)).toEqual(expected);
  });
});
