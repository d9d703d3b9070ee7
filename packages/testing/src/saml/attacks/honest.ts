// What has to be accepted: the controls beside the attacks, and what is unusual but allowed.
import { contentCiphers, signatureMethods } from '../names.ts';
import { attacks, both, type Draft, honest, nothing, onlyAssertion, onlyResponse } from './attack.ts';

export const encryptedHonest = 'honest: encrypted, response and assertion signed';
export const encryptedAssertionSigned = 'honest: encrypted, assertion signed';

const drafts: Draft[] = [
  { name: honest(both), clause: 'SAML profiles §4.1.4.2' },
  { name: honest(onlyResponse), clause: 'SAML core §5.3: a signature is inherited', signs: onlyResponse },
  { name: honest(onlyAssertion), clause: 'SAML profiles §4.1.4.5', signs: onlyAssertion },
  {
    name: encryptedHonest,
    clause: 'SAML core §2.3.4',
    how: ({ encryption }) => ({ encrypts: encryption() }),
  },
  {
    name: encryptedAssertionSigned,
    clause: 'SAML core §2.3.4',
    signs: onlyAssertion,
    how: ({ encryption }) => ({ encrypts: encryption() }),
  },
  {
    name: 'encrypted with AES-128-GCM',
    clause: 'XML encryption 1.1 §5.2.4',
    how: ({ encryption }) => ({ encrypts: encryption({ content: contentCiphers.aes128Gcm }) }),
  },
  {
    name: 'signed with RSA-SHA512',
    clause: 'RFC 6931 §2.3.4',
    how: { signing: { method: signatureMethods.rsaSha512 } },
  },
  { name: 'no KeyInfo', clause: 'SAML core §5.4.5: KeyInfo is optional', how: { signing: { keyInfo: null } } },
  {
    name: 'base64 in lines of 76 characters',
    clause: 'RFC 2045 §6.8, which SAML bindings §3.5.4 names',
    sent: xml =>
      Buffer.from(xml, 'utf8')
        .toString('base64')
        .replace(/.{76}/g, line => `${line}\r\n`),
  },
  {
    name: 'other prefixes for the namespaces',
    clause: 'Namespaces in XML §4: a prefix has no meaning',
    how: {
      unsigned: xml => xml.replaceAll('samlp', 'saml2p').replaceAll('saml:', 'saml2:').replaceAll(':saml=', ':saml2='),
    },
  },
  {
    name: 'white space between elements',
    clause: 'SAML schemas: element content only',
    how: { unsigned: xml => xml.replaceAll('><', '>\n  <') },
  },
  {
    name: 'an XML declaration',
    clause: 'XML 1.0 §2.8',
    how: { finished: xml => `<?xml version="1.0" encoding="UTF-8"?>\n${xml}` },
  },
  {
    name: 'characters beyond ASCII',
    clause: 'XML 1.0 §2.2',
    lies: { attributes: { displayName: 'Žofie 李 & <Søn>' } },
  },
  {
    name: 'no Destination and no Issuer in an unsigned Response',
    clause: 'SAML profiles §4.1.4.2, bindings §3.5.5.2: only what is signed has to have them',
    signs: onlyAssertion,
    lies: { destination: null, responseIssuer: null },
  },
  { name: 'OneTimeUse', clause: 'SAML core §2.5.1.5', lies: { oneTimeUse: true } },
  { name: 'ProxyRestriction', clause: 'SAML core §2.5.1.6', lies: { proxyCount: 0 } },
  {
    name: 'two audiences in one restriction, one of them ours',
    clause: 'SAML core §2.5.1.4: one match is enough',
    lies: ({ request }) => ({ audiences: [['https://elsewhere.test/sp', request.issuer]] }),
  },
  {
    name: 'two audience restrictions, both ours',
    clause: 'SAML core §2.5.1.4',
    lies: ({ request }) => ({ audiences: [[request.issuer], [request.issuer]] }),
  },
  {
    name: 'SPNameQualifier is ours',
    clause: 'SAML core §8.3.7',
    lies: ({ request }) => ({ spNameQualifier: request.issuer }),
  },
  {
    name: 'a session that ends later',
    clause: 'SAML core §2.7.2',
    lies: ({ at }) => ({ sessionNotOnOrAfter: at(3_600) }),
  },
  {
    name: 'times in whole seconds',
    clause: 'SAML core §1.3.3',
    how: { unsigned: xml => xml.replace(/\.\d{3}Z"/g, 'Z"') },
  },
];

const signed = (draft: Draft): Draft => ({
  ...draft,
  signs: draft.signs ?? both,
  requires: nothing,
  expected: 'accepted',
});

export const honestResponses = attacks('honest', drafts.map(signed));
