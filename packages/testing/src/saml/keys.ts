// Keys with a self-signed certificate each: in SAML a certificate is the form in which a key is written down, and
// nobody asks who signed it.
import { generate } from 'selfsigned';

/** Both as PEM. */
export type SamlKey = { privateKey: string; certificate: string };

/** A new key: RSA of 2048 bits, or EC on P-256. */
export async function newSamlKey({ commonName = 'idp.test', type = 'rsa' as 'rsa' | 'ec' } = {}): Promise<SamlKey> {
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: type,
    keySize: 2_048,
    curve: 'P-256',
    algorithm: 'sha256',
  });
  return { privateKey: made.private, certificate: made.cert };
}

/** What stands in ds:X509Certificate for a certificate in PEM. */
export const certificateBody = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
