// Keys with a self-signed certificate each: in SAML a certificate is the form in which a key is written down, and
// nobody asks who signed it.
import { generate } from 'selfsigned';

const year = 365 * 86_400_000;

/** Both as PEM. */
export type SamlKey = { privateKey: string; certificate: string };

/** A new key: RSA of 2048 bits, or EC on P-256. Its certificate is good for a year, or was until `endedAt`. */
export async function newSamlKey({
  commonName = 'idp.test',
  type = 'rsa',
  endedAt,
}: {
  commonName?: string;
  type?: 'rsa' | 'ec';
  endedAt?: Date | undefined;
} = {}): Promise<SamlKey> {
  const dates = endedAt && { notBeforeDate: new Date(endedAt.getTime() - year), notAfterDate: endedAt };
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: type,
    keySize: 2_048,
    curve: 'P-256',
    algorithm: 'sha256',
    ...dates,
  });
  return { privateKey: made.private, certificate: made.cert };
}

/** What stands in ds:X509Certificate for a certificate in PEM. */
export const certificateBody = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, '');
