// Encrypts an assertion for one service provider (SAML core §2.3.4), by algorithms that it should take or refuse.
import { X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { type EncryptOptions, encrypt } from 'xml-encryption';
import { contentCiphers, keyTransports, namespaces } from './names.ts';
import { element } from './xml.ts';

export type Encryption = {
  /** That of the service provider, PEM. */
  certificate: string;
  content?: string;
  keyTransport?: string;
};

/** `assertion`, with its namespaces declared on itself, as a saml:EncryptedAssertion. */
export async function encryptAssertion(assertion: string, encryption: Encryption): Promise<string> {
  const { certificate, content = contentCiphers.aes256Gcm, keyTransport = keyTransports.rsaOaep } = encryption;
  const { publicKey } = new X509Certificate(certificate);
  const data = await promisify(encrypt)(assertion, {
    rsa_pub: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    pem: certificate,
    encryptionAlgorithm: content,
    keyEncryptionAlgorithm: keyTransport,
    disallowEncryptionWithInsecureAlgorithm: false,
    warnInsecureAlgorithm: false,
  } as EncryptOptions);
  return element('saml:EncryptedAssertion', { 'xmlns:saml': namespaces.assertion }, data.trim());
}
