// The names of SAML 2.0 and of what it stands on, and the algorithms that we take.
export const ns = {
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
  encryption: 'http://www.w3.org/2001/04/xmlenc#',
  encryption11: 'http://www.w3.org/2009/xmlenc11#',
} as const;

export const binding = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
} as const;

export const status = {
  success: 'urn:oasis:names:tc:SAML:2.0:status:Success',
} as const;

export const bearer = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';

export const nameIdFormat = {
  email: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  unspecified: 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified',
} as const;

/** No SHA-1, and no HMAC: a certificate is public. */
export const signatureMethods: readonly string[] = [
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'http://www.w3.org/2001/04/xmldsig-more#rsa-sha512',
  'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
];
export const digestMethods: readonly string[] = [`${ns.encryption}sha256`, `${ns.encryption}sha512`];

const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
/** None that keeps comments, which are no part of what is signed. */
export const canonicalizations: readonly string[] = [exclusive, 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315'];
export const transforms: readonly string[] = [`${ns.signature}enveloped-signature`, ...canonicalizations];

export const authenticatedCiphers: readonly string[] = ['aes128-gcm', 'aes192-gcm', 'aes256-gcm'].map(
  name => ns.encryption11 + name,
);
/** Whoever may change the bytes and sees what happens can read them: only where a signature covers them. */
export const unauthenticatedCiphers: readonly string[] = ['aes128-cbc', 'aes192-cbc', 'aes256-cbc'].map(
  name => ns.encryption + name,
);
/** Not RSA 1.5, whose padding tells. */
export const keyTransports: readonly string[] = [`${ns.encryption}rsa-oaep-mgf1p`, `${ns.encryption11}rsa-oaep`];
