// The public face of @reeve/testing/saml. It has a door of its own since the types of the libraries behind it bring the
// browser's globals along, whose `fetch` and `Response` differ from those of Node.
export { type SamlAnswer, type SamlAttack, type SamlTarget, victim } from './saml/attacks/attack.ts';
export { deflateBomb, formOf, inNewResponse, samlAttacks } from './saml/attacks/saml-attacks.ts';
export { newSamlKey, type SamlKey } from './saml/keys.ts';
export { contentCiphers, keyTransports, nameIdFormats, signatureMethods, statuses } from './saml/names.ts';
export { type SamlIdentityProvider, startSamlIdentityProvider } from './saml/saml-identity-provider.ts';
export { createSamlIssuer, type SamlIssuer } from './saml/saml-issuer.ts';
