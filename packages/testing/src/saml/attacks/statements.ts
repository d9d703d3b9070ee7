// Responses that are signed and addressed to us, and do not say what a sign-in has to say.
import { confirmationMethods, statuses } from '../names.ts';
import { attacks, type Draft, onlyAssertion, onlyResponse } from './attack.ts';

const profile = 'SAML profiles §4.1.4.2';
const status = 'SAML core §3.2.2.2: an assertion beside an error is no success';

const otherNamespaces = (protocol: string, assertion: string) => (xml: string) =>
  xml
    .replaceAll('urn:oasis:names:tc:SAML:2.0:protocol', protocol)
    .replaceAll('urn:oasis:names:tc:SAML:2.0:assertion', assertion);

const drafts: Draft[] = [
  { name: 'no Assertion', clause: profile, signs: onlyResponse, lies: { without: ['Assertion'] } },
  { name: 'no Subject', clause: profile, lies: { without: ['Subject'] } },
  { name: 'no NameID', clause: 'SAML core §2.4.1', lies: { without: ['NameID'] } },
  { name: 'no SubjectConfirmation', clause: profile, lies: { without: ['SubjectConfirmation'] } },
  { name: 'no SubjectConfirmationData', clause: profile, lies: { without: ['SubjectConfirmationData'] } },
  {
    name: 'confirmed by holder-of-key',
    clause: `${profile}: bearer`,
    lies: { confirmationMethod: confirmationMethods.holderOfKey },
  },
  {
    name: 'confirmed by sender-vouches',
    clause: `${profile}: bearer`,
    lies: { confirmationMethod: confirmationMethods.senderVouches },
  },
  { name: 'no AuthnStatement', clause: profile, lies: { without: ['AuthnStatement'] } },
  { name: 'status Responder with a signed Assertion', clause: status, lies: { status: statuses.responder } },
  { name: 'status Requester with a signed Assertion', clause: status, lies: { status: statuses.requester } },
  {
    name: 'status Responder, with Success below it',
    clause: status,
    lies: { status: statuses.responder, subStatus: statuses.success },
  },
  {
    name: 'no Status',
    clause: 'SAML core §3.2.2',
    how: { unsigned: xml => xml.replace(/<samlp:Status>.*<\/samlp:Status>/, '') },
  },
  { name: 'Version 1.1 of the Response', clause: 'SAML core §3.2.2', lies: { responseVersion: '1.1' } },
  { name: 'Version 1.1 of the Assertion', clause: 'SAML core §2.3.3', lies: { assertionVersion: '1.1' } },
  {
    name: 'the namespaces of SAML 1.1',
    clause: 'SAML core §1.2',
    how: {
      unsigned: otherNamespaces('urn:oasis:names:tc:SAML:1.0:protocol', 'urn:oasis:names:tc:SAML:1.0:assertion'),
    },
  },
  {
    name: 'namespaces of nobody',
    clause: 'SAML core §1.2',
    how: { unsigned: otherNamespaces('urn:evil:protocol', 'urn:evil:assertion') },
  },
  {
    name: 'a condition that nobody knows',
    clause: 'SAML core §2.5.1.1: then the assertion is not known to be valid',
    how: {
      unsigned: xml => xml.replace('</saml:Conditions>', '<x:OnlyOnTuesdays xmlns:x="urn:x"/></saml:Conditions>'),
    },
  },
  {
    name: 'an Assertion without a Response around it',
    clause: 'SAML profiles §4.1.4',
    signs: onlyAssertion,
    how: { finished: xml => /<saml:Assertion.*<\/saml:Assertion>/s.exec(xml)?.[0] ?? '' },
  },
];

export const statementAttacks = attacks('statements', drafts);
