import { expect, test } from '@jest/globals';
import { signInCauseOf } from './cause-of.ts';

test.each([
  ['Keycloak', 'unauthorized_client', 'Invalid client or Invalid client credentials', 'client_secret_wrong'],
  ['Keycloak', 'unauthorized_client', 'Client not enabled to retrieve service account', 'application_unknown'],
  ['Microsoft Entra', 'invalid_client', 'AADSTS7000215: Invalid client secret provided.', 'client_secret_wrong'],
  [
    'Microsoft Entra',
    'invalid_client',
    'AADSTS7000222: The provided client secret keys are expired.',
    'client_secret_expired',
  ],
  ['anybody', 'invalid_client', 'Client authentication failed', 'client_secret_wrong'],
] as const)('what %s says of a token request (%s: %s) is %s', (_, error, description, cause) => {
  expect(signInCauseOf('code_exchange', { error, description })).toBe(cause);
});

test('whoever refuses our key refuses no secret', () => {
  const seen = { error: 'unauthorized_client', description: 'Invalid client or Invalid client credentials' };
  expect(signInCauseOf('code_exchange', { ...seen, provedBy: 'private_key_jwt' })).toBe('key_not_found_there');
});

test('an answer by another issuer is that, and one to another state is not', () => {
  const problem = 'unexpected "iss" (issuer) response parameter value';
  expect(signInCauseOf('response_mismatch', { problem })).toBe('issuer_wrong');
  expect(signInCauseOf('response_mismatch', { problem: 'unexpected "state" response parameter value' })).toBe(
    'response_mismatch',
  );
});
