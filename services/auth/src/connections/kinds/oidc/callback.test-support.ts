// Prints how many callbacks a second are completed by us, and how many by bare openid-client, in turns: as JSON for
// test/src/bench/oidc.ts, which runs this as a process of its own. The provider answers at once, in the process.
import { newId, serviceCause } from '@reeve/contracts';
import { serverMetadata } from '@reeve/relying-party';
import { newProviderKey, signedBy } from '@reeve/testing/identity-provider';
import * as client from 'openid-client';
import type { At } from '../kind.ts';
import { sideBySide } from '../side-by-side.test-support.ts';
import { oidc } from './oidc.ts';
import { settingsSchema } from './settings.ts';

const ownIssuer = 'https://auth.test';
const metadata = serverMetadata.parse({
  issuer: 'https://idp.test',
  authorization_endpoint: 'https://idp.test/authorize',
  token_endpoint: 'https://idp.test/token',
  jwks_uri: 'https://idp.test/keys',
  id_token_signing_alg_values_supported: ['RS256'],
});
const credentials = { clientId: 'reeve', clientSecret: 'a secret' };
const key = await newProviderKey('RS256');
const idTokens = new Map<string, string>();

/** Of a code, its tokens. */
async function answer(url: string | URL, init?: { body?: unknown }): Promise<Response> {
  if (String(url).endsWith('/keys')) return Response.json({ keys: [key.jwk] });
  const code = new URLSearchParams(String(init?.body)).get('code') ?? '';
  return Response.json({ access_token: 'opaque', token_type: 'Bearer', id_token: idTokens.get(code) });
}

let codes = 0;
/** Somebody has signed in: what comes back for the browser to bring. */
async function signedIn(state: string, nonce: string): Promise<string> {
  codes += 1;
  const code = String(codes);
  const now = Math.floor(Date.now() / 1_000);
  const person = { sub: `person ${code}`, email: 'ada@acme.example', email_verified: true, name: 'Ada' };
  const groups = Array.from({ length: 50 }, (_, index) => `a group of the directory with the number ${index}`);
  const about = { iss: metadata.issuer, aud: credentials.clientId, iat: now, exp: now + 300, nonce };
  idTokens.set(code, await signedBy(key, { ...about, ...person, groups }));
  return `?${new URLSearchParams({ code, state })}`;
}

const kind = oidc({ readSecret: async () => credentials.clientSecret, fetch: answer as typeof fetch, ownIssuer });
const at: At = {
  tenantId: newId('tenant'),
  id: newId('connection'),
  secretName: 'the secret',
  settings: settingsSchema.parse({ metadata, clientId: credentials.clientId }),
  cause: serviceCause('auth', { correlationId: 'bench' }),
};

async function ours(): Promise<() => Promise<unknown>> {
  const wish = { again: false, isDemanded: false };
  const { pending } = await kind.begin(at, { signInId: 'a-sign-in-of-the-bench', wish });
  const { state, nonce } = pending as { state: string; nonce: string };
  const brought = await signedIn(state, nonce);
  return () => kind.complete(at, { pending, brought });
}

const configuration = new client.Configuration(metadata, credentials.clientId, credentials.clientSecret);
configuration[client.customFetch] = (url, options) => answer(url, options);
client.enableNonRepudiationChecks(configuration);

async function bare(): Promise<() => Promise<unknown>> {
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const url = new URL(`${ownIssuer}/callback${await signedIn(expectedState, expectedNonce)}`);
  const expected = { expectedState, expectedNonce, pkceCodeVerifier, idTokenExpected: true };
  return () => client.authorizationCodeGrant(configuration, url, expected);
}

process.stdout.write(JSON.stringify(await sideBySide({ ours, bare }, { rounds: 6, each: 150 })));
