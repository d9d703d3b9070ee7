// The metadata of an identity provider (SAML metadata §2.4.3).
import { certificateBody, type SamlKey } from './keys.ts';
import { bindings, nameIdFormats, namespaces } from './names.ts';
import { element } from './xml.ts';

export function metadataXml(of: {
  entityId: string;
  ssoUrl: string;
  sloUrl: string;
  /** Those that signatures may be by, the current one first. */
  keys: readonly SamlKey[];
  wantAuthnRequestsSigned: boolean;
}): string {
  const at = (name: string, location: string) =>
    [bindings.redirect, bindings.post].map(binding => element(`md:${name}`, { Binding: binding, Location: location }));
  const keys = of.keys.map(({ certificate }) =>
    element(
      'md:KeyDescriptor',
      { use: 'signing' },
      element(
        'ds:KeyInfo',
        { 'xmlns:ds': namespaces.signature },
        element('ds:X509Data', {}, element('ds:X509Certificate', {}, certificateBody(certificate))),
      ),
    ),
  );
  const formats = Object.values(nameIdFormats).map(format => element('md:NameIDFormat', {}, format));
  const role = element(
    'md:IDPSSODescriptor',
    {
      protocolSupportEnumeration: namespaces.protocol,
      WantAuthnRequestsSigned: String(of.wantAuthnRequestsSigned),
    },
    ...keys,
    ...at('SingleLogoutService', of.sloUrl),
    ...formats,
    ...at('SingleSignOnService', of.ssoUrl),
  );
  return element('md:EntityDescriptor', { 'xmlns:md': namespaces.metadata, entityID: of.entityId }, role);
}
