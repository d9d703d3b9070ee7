// How we prove at the token endpoint that it is us: by a secret, or by a key whose public half we publish (RFC 7523,
// `private_key_jwt`), which nobody can read out of what a server keeps. As the server says that it takes it.
import { type CryptoKey, importJWK, type JWK } from 'jose';
import * as client from 'openid-client';
import type { ServerMetadata } from './discover.ts';

export type Credential = { clientSecret: string } | { clientKey: ClientKey };

/** A private key as a JWK. */
export type ClientKey = JWK & { kid: string; alg: string };

/** Algorithms for a key of ours, the first that a server takes. */
const keyAlgorithms = ['ES256', 'PS256', 'RS256'];

const takes = ({ token_endpoint_auth_methods_supported: methods }: ServerMetadata, method: string): boolean | null =>
  methods?.includes(method) ?? null;

/** RFC 8414: a server that says nothing of it takes `client_secret_basic`. */
export const takesSecrets = (metadata: ServerMetadata): boolean =>
  (takes(metadata, 'client_secret_basic') ?? true) || takes(metadata, 'client_secret_post') === true;

/** For a key of ours at that server; null when it takes none. A server that does not say so is believed to take it. */
export function keyAlgorithmFor(metadata: ServerMetadata): string | null {
  if (takes(metadata, 'private_key_jwt') === false) return null;
  const theirs = metadata.token_endpoint_auth_signing_alg_values_supported;
  return keyAlgorithms.find(one => theirs?.includes(one) ?? true) ?? null;
}

export async function authenticationFor(metadata: ServerMetadata, credential: Credential): Promise<client.ClientAuth> {
  if ('clientKey' in credential) {
    const { kid, alg } = credential.clientKey;
    // The audience is the issuer, as one text: with an endpoint for audience, another server that names the same
    // endpoint could use the assertion there.
    return client.PrivateKeyJwt({ key: (await importJWK(credential.clientKey, alg)) as CryptoKey, kid });
  }
  const isBasic = takes(metadata, 'client_secret_basic') ?? true;
  const { clientSecret } = credential;
  return isBasic ? client.ClientSecretBasic(clientSecret) : client.ClientSecretPost(clientSecret);
}
