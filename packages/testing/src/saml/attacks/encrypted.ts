// Assertions that are encrypted badly, or whose encryption is to hide that nobody signed them: everybody can encrypt
// for the service provider. Its answers must not tell one failure from another (padding oracle).
import { encryptAssertion } from '../encrypt-assertion.ts';
import { contentCiphers, keyTransports } from '../names.ts';
import { responseXml } from '../response-xml.ts';
import { allOf, oneOf, parseXml, writeXml } from '../xml.ts';
import { attacks, type Context, type Draft, nothing, onlyAssertion } from './attack.ts';
import { encryptedAssertionSigned, encryptedHonest } from './honest.ts';
import { forged } from './wrapping.ts';

const { aes128Cbc, aes256Cbc, tripleDesCbc } = contentCiphers;

/** Encrypts what is made of the response's signed assertion, in its place. */
const encrypting =
  (make: (assertion: Element) => string) =>
  ({ encryption }: Context) => ({
    finished: async (xml: string) => {
      const assertion = oneOf(parseXml(xml), 'Assertion');
      const encrypted = await encryptAssertion(make(assertion), encryption());
      return xml.replace(/<saml:Assertion.*<\/saml:Assertion>/s, () => encrypted);
    },
  });

/** Changes one bit of the content, not of its key. */
const spoilCiphertext = (xml: string) => {
  const document = parseXml(xml);
  const content = allOf(document, 'CipherValue').at(-1) as Element;
  const bytes = Buffer.from(content.textContent ?? '', 'base64');
  bytes[20] = (bytes[20] ?? 0) ^ 1;
  content.textContent = bytes.toString('base64');
  return writeXml(document);
};

const weakly = (name: string, clause: string, algorithms: { content?: string; keyTransport?: string }): Draft => ({
  name,
  clause,
  control: encryptedHonest,
  how: ({ encryption }) => ({ encrypts: encryption(algorithms) }),
});

const cbc = 'XML encryption 1.1 §6.1.1: CBC has no integrity, and is a padding oracle';

const drafts: Draft[] = [
  weakly('AES-256-CBC', cbc, { content: aes256Cbc }),
  weakly('AES-128-CBC', cbc, { content: aes128Cbc }),
  weakly('triple DES', cbc, { content: tripleDesCbc }),
  weakly('RSA 1.5 for the key', 'XML encryption 1.1 §5.5.1: Bleichenbacher’s oracle', {
    keyTransport: keyTransports.rsa15,
  }),
  {
    name: 'encrypted, and nothing is signed',
    clause: 'SAML core §6: encryption says nothing of who did it',
    signs: nothing,
    signature: 'broken',
    control: encryptedAssertionSigned,
    how: ({ encryption }) => ({ encrypts: encryption() }),
  },
  {
    name: 'encrypted, and signed by a stranger',
    clause: 'SAML core §6',
    signature: 'foreign',
    control: encryptedHonest,
    how: ({ encryption, idp }) => ({ encrypts: encryption(), signing: { key: idp.foreignKey } }),
  },
  {
    name: 'encrypted for somebody else',
    clause: 'SAML core §2.3.4',
    control: encryptedHonest,
    how: ({ idp }) => ({ encrypts: { certificate: idp.foreignKey.certificate } }),
  },
  {
    name: 'the ciphertext was changed',
    clause: 'NIST SP 800-38D §7.2: GCM’s tag has to be checked',
    signs: onlyAssertion,
    signature: 'broken',
    control: encryptedAssertionSigned,
    how: ({ encryption }) => ({ encrypts: encryption(), finished: spoilCiphertext }),
  },
  {
    name: 'a forged Assertion beside an EncryptedAssertion that is signed',
    clause: 'which of them is meant is a guess',
    signs: onlyAssertion,
    control: encryptedAssertionSigned,
    how: ({ encryption }) => ({
      encrypts: encryption(),
      finished: (xml, { said }) => {
        const document = parseXml(xml);
        const evil = forged(oneOf(parseXml(responseXml(said)), 'Assertion'));
        document.documentElement.appendChild(document.importNode(evil, true));
        return writeXml(document);
      },
    }),
  },
  {
    name: 'two EncryptedAssertions',
    clause: 'which of them is meant is a guess',
    signs: onlyAssertion,
    control: encryptedAssertionSigned,
    how: ({ encryption }) => ({
      encrypts: encryption(),
      finished: xml => {
        const document = parseXml(xml);
        const encrypted = oneOf(document, 'EncryptedAssertion');
        document.documentElement.appendChild(encrypted.cloneNode(true));
        return writeXml(document);
      },
    }),
  },
  {
    name: 'a forged and a signed Assertion inside one EncryptedAssertion',
    clause: 'SAML core §2.3.4: one Assertion is encrypted',
    signs: onlyAssertion,
    control: encryptedAssertionSigned,
    how: encrypting(assertion => writeXml(forged(assertion)) + writeXml(assertion)),
  },
  {
    name: 'a DOCTYPE inside what is encrypted',
    clause: 'CWE-611: a message needs no DTD, wherever it hides',
    signs: onlyAssertion,
    control: encryptedAssertionSigned,
    how: encrypting(assertion => `<!DOCTYPE a [<!ENTITY b "c">]>${writeXml(assertion)}`),
  },
];

export const encryptionAttacks = attacks('encryption', drafts);
