// What we say of ourselves to one identity provider, for it to import.
import xmlbuilder from 'xmlbuilder';
import type { OwnKeys } from './keys.ts';
import { binding, nameIdFormat, ns } from './names.ts';

type Sp = {
  entityId: string;
  acsUrl: string;
  sloUrl: string;
  keys: OwnKeys;
  signsRequests: boolean;
  /** A provider that reads of a key for it may encrypt by a cipher that we do not take. */
  takesEncrypted: boolean;
};

/** Both keys stand in it while they are changed, so that an identity provider that reads it is never behind. */
export function spMetadata({ entityId, acsUrl, sloUrl, keys, signsRequests, takesEncrypted }: Sp): string {
  const keyOf = (use: string) => (certificate: string) => ({
    '@use': use,
    'ds:KeyInfo': { '@xmlns:ds': ns.signature, 'ds:X509Data': { 'ds:X509Certificate': base64Of(certificate) } },
  });
  const certificates = keys.map(({ certificate }) => certificate);
  return xmlbuilder
    .create({
      EntityDescriptor: {
        '@xmlns': ns.metadata,
        '@entityID': entityId,
        SPSSODescriptor: {
          '@protocolSupportEnumeration': ns.protocol,
          '@AuthnRequestsSigned': String(signsRequests),
          '@WantAssertionsSigned': 'true',
          KeyDescriptor: [
            ...certificates.map(keyOf('signing')),
            ...(takesEncrypted ? certificates.slice(0, 1).map(keyOf('encryption')) : []),
          ],
          ...(keys.length === 0
            ? {}
            : {
                SingleLogoutService: [
                  { '@Binding': binding.redirect, '@Location': sloUrl },
                  { '@Binding': binding.post, '@Location': sloUrl },
                ],
              }),
          NameIDFormat: [nameIdFormat.persistent, nameIdFormat.email, nameIdFormat.unspecified],
          AssertionConsumerService: {
            '@Binding': binding.post,
            '@Location': acsUrl,
            '@index': '0',
            '@isDefault': 'true',
          },
        },
      },
    })
    .end({ pretty: true });
}

const base64Of = (pem: string): string => pem.replace(/-----[A-Z ]+-----|\s/g, '');
