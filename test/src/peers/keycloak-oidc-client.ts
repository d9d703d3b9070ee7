// What Reeve is to Keycloak: a confidential client with the standard flow.
import { randomBytes } from 'node:crypto';
import type { Algorithm, Realm } from './keycloak-realm.ts';

export type OidcClient = Awaited<ReturnType<typeof addOidcClient>>;

type Wanted = {
  redirectUris?: readonly string[];
  /** Whether Keycloak asks its people before it tells their names. */
  consentRequired?: boolean;
};

/** Nobody is sent back until it is told where to. */
export async function addOidcClient({ admin }: Realm, { redirectUris = [], consentRequired = false }: Wanted = {}) {
  const clientId = `reeve-${randomBytes(4).toString('hex')}`;
  const clientSecret = randomBytes(24).toString('base64url');
  const settings = {
    clientId,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: true,
    consentRequired,
  };
  const id = await admin.make('/clients', { ...settings, secret: clientSecret, redirectUris });
  const change = (changes: object) => admin.ask<null>('PUT', `/clients/${id}`, { ...settings, ...changes });

  return {
    clientId,
    clientSecret,
    sendsBackTo: (redirectUri: string) => change({ redirectUris: [redirectUri] }),
    change,
    /** With which its ID tokens are signed from now on. */
    signsWith: (algorithm: Algorithm) => change({ attributes: { 'id.token.signed.response.alg': algorithm } }),
    /** The one that was there is refused from now on. */
    async newSecret(): Promise<string> {
      return (await admin.ask<{ value: string }>('POST', `/clients/${id}/client-secret`)).value;
    },
  };
}
