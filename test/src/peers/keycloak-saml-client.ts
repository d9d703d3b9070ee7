// What Reeve is to Keycloak in SAML: a client that Keycloak makes of a service provider's metadata, as an administrator
// does who imports them.
import type { Realm } from './keycloak-realm.ts';

export type SamlWanted = {
  signs?: 'assertion' | 'response' | 'both' | 'nothing';
  /** By which algorithms an assertion is encrypted, for the certificate in the metadata; it is not by default. */
  encryptsBy?: { cipher?: string; keyTransport?: string; digest?: string };
  /** Base64 of a certificate by which requests have to be signed, instead of that in the metadata. */
  requestsSignedBy?: string;
  /** People begin there, at `unsolicitedUrl`. */
  startsByItself?: boolean;
};

type Representation = { clientId: string; attributes: Record<string, string> };

const propertyMapper = (property: string) => ({
  name: property,
  protocol: 'saml',
  protocolMapper: 'saml-user-property-mapper',
  config: { 'user.attribute': property, 'attribute.name': property, 'attribute.nameformat': 'Basic' },
});

const named = (name: string, value: string | undefined): Record<string, string> =>
  value === undefined ? {} : { [name]: value };

export const samlDescriptor = async ({ issuer }: Realm): Promise<string> =>
  (await fetch(descriptorUrl({ issuer }))).text();

export const descriptorUrl = ({ issuer }: Pick<Realm, 'issuer'>) => `${issuer}/protocol/saml/descriptor`;

export async function addSamlClient(
  { admin, issuer }: Realm,
  metadata: string,
  { signs = 'assertion', encryptsBy, requestsSignedBy, startsByItself = false }: SamlWanted = {},
) {
  const converted = await admin.ask<Representation>('POST', '/client-description-converter', metadata);
  const name = startsByItself ? `starts-${converted.clientId.replaceAll(/[^a-z0-9]/gi, '')}` : undefined;
  const attributes: Record<string, string> = {
    ...converted.attributes,
    'saml.assertion.signature': String(signs === 'assertion' || signs === 'both'),
    'saml.server.signature': String(signs === 'response' || signs === 'both'),
    'saml.signature.algorithm': 'RSA_SHA256',
    'saml.client.signature': 'true',
    'saml.encrypt': String(encryptsBy !== undefined),
    'saml.force.post.binding': 'true',
    saml_name_id_format: 'persistent',
    saml_force_name_id_format: 'true',
    ...named('saml.encryption.algorithm', encryptsBy?.cipher),
    ...named('saml.encryption.keyAlgorithm', encryptsBy?.keyTransport),
    ...named('saml.encryption.digestMethod', encryptsBy?.digest),
    ...named('saml.signing.certificate', requestsSignedBy),
    ...named('saml_idp_initiated_sso_url_name', name),
  };
  await admin.make('/clients', {
    ...converted,
    attributes,
    frontchannelLogout: true,
    protocolMappers: ['email', 'firstName', 'lastName'].map(propertyMapper),
  });
  return { unsolicitedUrl: `${issuer}/protocol/saml/clients/${name}` };
}
