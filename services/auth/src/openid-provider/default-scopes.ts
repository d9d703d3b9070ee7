// What an authorization request has that is ours, and what it asks for where it names no scope (RFC 6749 §3.3): what its
// application is registered with. Where that is nothing, the library refuses it once the person has signed in.
import type { Client, KoaContextWithOIDC } from 'oidc-provider';
import { ownMetadata } from './client-metadata.ts';

export const ownParameters = {
  tenant: null,
  connection: null,
  auth_key: null,
  domain: null,
  link: null,
  enrol: null,
};

/** The API that the scopes are of is known here. `openid` and what belongs to it are looked at before: these are not. */
export function useDefaultScopes({ oidc }: KoaContextWithOIDC, given: string | undefined, client: Client): void {
  const usual = ownMetadata(client).default_scopes;
  if (given === undefined && usual.length > 0 && oidc.params) oidc.params['scope'] = usual.join(' ');
}
