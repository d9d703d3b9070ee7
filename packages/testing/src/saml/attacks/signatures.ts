// Signatures that are missing, of somebody else, over something else, or made by what nobody should trust any more.

import { digestMethods, signatureMethods, transforms } from '../names.ts';
import { responseXml } from '../response-xml.ts';
import type { Bend } from '../saml-issuer.ts';
import { childrenOf, oneOf, parseXml, writeXml } from '../xml.ts';
import { attacks, type Draft, nothing, onlyAssertion, onlyResponse, victim } from './attack.ts';

const { enveloped, exclusive, xslt, xpath } = transforms;

const change = (xml: string, by: (document: Document) => void) => {
  const document = parseXml(xml);
  by(document);
  return writeXml(document);
};

const ofVictim = (xml: string) =>
  change(xml, document => {
    oneOf(document, 'NameID').textContent = victim;
  });

/** Spoils the value of the signature that stands in the first element of this name. */
const spoilSignatureOf =
  (name: string): Bend =>
  xml =>
    change(xml, document => {
      const [signature] = childrenOf(oneOf(document, name), 'Signature');
      const value = oneOf(signature as Element, 'SignatureValue');
      const text = value.textContent ?? '';
      value.textContent = (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    });

/** What the signature over the forged assertion would be, if the provider had made it: its digest is right. */
const evilSignatureFor: (...of: Parameters<Bend>) => Element = (xml, { said, sign, foreignKey }) => {
  const bare = change(ofVictim(xml), document => {
    const assertion = oneOf(document, 'Assertion');
    for (const signature of childrenOf(assertion, 'Signature')) assertion.removeChild(signature);
  });
  return oneOf(parseXml(sign(bare, said.assertionId, { key: foreignKey })), 'Signature');
};

const twoSignedInfos =
  (place: 'first' | 'last'): Bend =>
  (xml, tools) =>
    change(ofVictim(xml), document => {
      const evil = document.importNode(oneOf(evilSignatureFor(xml, tools), 'SignedInfo'), true);
      const real = oneOf(document, 'SignedInfo');
      real.parentNode?.insertBefore(evil, place === 'first' ? real : real.nextSibling);
    });

const digestInComment: Bend = (xml, tools) =>
  change(ofVictim(xml), document => {
    const evil = oneOf(evilSignatureFor(xml, tools), 'DigestValue').textContent ?? '';
    const digest = oneOf(document, 'DigestValue');
    digest.insertBefore(document.createComment(evil), digest.firstChild);
  });

const anotherAssertion: Bend = (xml, { said, sign }) => {
  const second = { ...said, assertionId: `${said.assertionId}2`, nameId: victim };
  const grown = change(xml, document => {
    const assertion = oneOf(parseXml(responseXml(second)), 'Assertion');
    document.documentElement.appendChild(document.importNode(assertion, true));
  });
  return sign(grown, second.assertionId);
};

const assertionAndStatus = ["//*[local-name(.)='Assertion']", "//*[local-name(.)='Status']"];

const noSha1 = 'NIST SP 800-131A: SHA-1 signs nothing any more';

const drafts: Draft[] = [
  {
    name: 'nothing is signed',
    clause: 'SAML profiles §4.1.4.5',
    signs: nothing,
    control: 'honest: assertion signed',
    signature: 'broken',
  },
  {
    name: 'only the Response is signed, where assertions have to be',
    clause: 'SAML metadata §2.4.4: WantAssertionsSigned',
    signs: onlyResponse,
    requires: onlyAssertion,
    control: 'honest: response and assertion signed',
  },
  {
    name: 'only the Assertion is signed, where responses have to be',
    clause: 'the connection’s policy',
    signs: onlyAssertion,
    requires: onlyResponse,
    control: 'honest: response and assertion signed',
  },
  {
    name: 'the NameID was changed after it was signed',
    clause: 'XML signature §3.2.1',
    signature: 'broken',
    how: { finished: ofVictim },
  },
  {
    name: 'signed by a stranger, whose certificate is in KeyInfo',
    clause: 'SAML core §5.4.5: keys come from metadata',
    signature: 'foreign',
    how: ({ idp }) => ({ signing: { key: idp.foreignKey } }),
  },
  {
    name: 'signed by a stranger, with our provider’s certificate in KeyInfo',
    clause: 'SAML core §5.4.5',
    signature: 'foreign',
    how: ({ idp }) => ({ signing: { key: idp.foreignKey, keyInfo: idp.certificate() } }),
  },
  {
    name: 'another provider’s key for this provider’s entity id',
    clause: 'SAML profiles §4.1.4.3: the issuer’s own key',
    signature: 'foreign',
    how: ({ idp }) => ({ signing: { key: idp.foreignKey, keyInfo: null } }),
  },
  {
    name: 'HMAC with the public certificate as its key',
    clause: 'key confusion: a public key is no secret',
    signature: 'broken',
    how: ({ idp }) => ({
      signing: {
        key: { privateKey: idp.certificate(), certificate: idp.certificate() },
        method: signatureMethods.hmacSha1,
      },
    }),
  },
  { name: 'rsa-sha1', clause: noSha1, how: { signing: { method: signatureMethods.rsaSha1 } } },
  { name: 'digests by SHA-1', clause: noSha1, how: { signing: { digest: digestMethods.sha1 } } },
  {
    name: 'rsa-sha1 and digests by SHA-1',
    clause: noSha1,
    how: { signing: { method: signatureMethods.rsaSha1, digest: digestMethods.sha1 } },
  },
  {
    name: 'Reference URI=""',
    clause: 'SAML core §5.4.2: a reference has the ID of what is signed',
    signs: onlyResponse,
    signature: 'astray',
    how: { signing: { references: ['/*'], emptyUri: true } },
  },
  {
    name: 'two References',
    clause: 'SAML core §5.4.2: a signature has one reference',
    signs: onlyAssertion,
    signature: 'astray',
    how: { signing: { references: assertionAndStatus } },
  },
  {
    name: 'two References with one Transform each',
    clause: 'SAML core §5.4.2: a signature has one reference, however few transforms there are',
    signs: onlyAssertion,
    signature: 'astray',
    how: { signing: { references: assertionAndStatus, transforms: [enveloped] } },
  },
  {
    name: 'two SignedInfo, the forged one first',
    clause: 'CVE-2025-29774',
    signs: onlyAssertion,
    signature: 'broken',
    how: { finished: twoSignedInfos('first') },
  },
  {
    name: 'two SignedInfo, the forged one last',
    clause: 'CVE-2025-29774',
    signs: onlyAssertion,
    signature: 'broken',
    how: { finished: twoSignedInfos('last') },
  },
  {
    name: 'two SignedInfo with one Transform each',
    clause: 'CVE-2025-29774, where transforms are counted',
    signs: onlyAssertion,
    signature: 'broken',
    how: { signing: { transforms: [enveloped] }, finished: twoSignedInfos('first') },
  },
  {
    name: 'a comment with a forged digest inside DigestValue',
    clause: 'CVE-2025-29775',
    signs: onlyAssertion,
    signature: 'broken',
    how: { finished: digestInComment },
  },
  {
    name: 'three Transforms',
    clause: 'SAML core §5.4.4: enveloped signature and exclusive canonicalization, once each',
    how: { signing: { transforms: [enveloped, exclusive, exclusive] } },
  },
  {
    name: 'an XSLT Transform',
    clause: 'SAML core §5.4.4: a transform that can replace what is signed',
    how: { signing: { transforms: [enveloped, xslt] } },
  },
  {
    name: 'an XPath Transform',
    clause: 'SAML core §5.4.4: a transform that can leave out what is read',
    how: { signing: { transforms: [enveloped, xpath] } },
  },
  {
    name: 'a broken signature of the Response around a valid Assertion',
    clause: 'ASVS 6.8.2: a signature that is there has to hold',
    signature: 'broken',
    how: { finished: spoilSignatureOf('Response') },
  },
  {
    name: 'a broken signature of the Assertion inside a valid Response',
    clause: 'ASVS 6.8.2: a signature that is there has to hold',
    signature: 'broken',
    how: { assertionSigned: spoilSignatureOf('Assertion') },
  },
  {
    name: 'two Assertions, all signed',
    clause: 'which of them is meant is a guess',
    how: { assertionSigned: anotherAssertion },
  },
];

export const signatureAttacks = attacks('signatures', drafts);
