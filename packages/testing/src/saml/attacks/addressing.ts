// Responses that are signed and meant for somebody else, by somebody else, or in answer to something else.
import { attacks, type Draft } from './attack.ts';

const elsewhere = 'https://elsewhere.test/saml';

const audience = 'SAML core §2.5.1.4';
const destination = 'SAML bindings §3.5.5.2';
const confirmation = 'SAML profiles §4.1.4.2';
const answers = 'SAML profiles §4.1.4.3: an answer is to a request of this browser';

const drafts: Draft[] = [
  { name: 'Audience is somebody else', clause: audience, lies: { audiences: [[elsewhere]] } },
  {
    name: 'Audience only begins like ours',
    clause: audience,
    lies: ({ request }) => ({ audiences: [[`${request.issuer}/more`]] }),
  },
  { name: 'no AudienceRestriction', clause: confirmation, lies: { audiences: [] } },
  {
    name: 'two audience restrictions, the second is somebody else’s',
    clause: `${audience}: all restrictions have to match`,
    control: 'two audience restrictions, both ours',
    lies: ({ request }) => ({ audiences: [[request.issuer], [elsewhere]] }),
  },
  {
    name: 'two audience restrictions, the first is somebody else’s',
    clause: `${audience}: all restrictions have to match`,
    control: 'two audience restrictions, both ours',
    lies: ({ request }) => ({ audiences: [[elsewhere], [request.issuer]] }),
  },
  { name: 'no Conditions', clause: confirmation, lies: { without: ['Conditions'] } },
  { name: 'Destination is elsewhere', clause: destination, lies: { destination: elsewhere } },
  {
    name: 'Destination only begins like ours',
    clause: destination,
    lies: ({ request }) => ({ destination: `${request.acsUrl}/more` }),
  },
  { name: 'no Destination in a signed Response', clause: destination, lies: { destination: null } },
  { name: 'an empty Destination', clause: destination, lies: { destination: '' } },
  { name: 'Recipient is elsewhere', clause: confirmation, lies: { recipient: elsewhere } },
  {
    name: 'Recipient only begins like ours',
    clause: confirmation,
    lies: ({ request }) => ({ recipient: `${request.acsUrl}/more` }),
  },
  { name: 'no Recipient', clause: confirmation, lies: { recipient: null } },
  { name: 'the Response is issued by somebody else', clause: confirmation, lies: { responseIssuer: elsewhere } },
  { name: 'the Assertion is issued by somebody else', clause: confirmation, lies: { assertionIssuer: elsewhere } },
  {
    name: 'Response and Assertion are issued by somebody else',
    clause: confirmation,
    lies: { responseIssuer: elsewhere, assertionIssuer: elsewhere },
  },
  { name: 'no Issuer in a signed Response', clause: confirmation, lies: { responseIssuer: null } },
  { name: 'no Issuer in the Assertion', clause: 'SAML core §2.3.3', lies: { assertionIssuer: null } },
  { name: 'the Response answers another request', clause: answers, lies: { inResponseTo: '_another' } },
  { name: 'the Response answers no request', clause: answers, lies: { inResponseTo: null } },
  { name: 'the Assertion answers another request', clause: answers, lies: { confirmationInResponseTo: '_another' } },
  { name: 'the Assertion answers no request', clause: answers, lies: { confirmationInResponseTo: null } },
  {
    name: 'Response and Assertion answer another request',
    clause: answers,
    lies: { inResponseTo: '_another', confirmationInResponseTo: '_another' },
  },
  {
    name: 'unsolicited',
    clause: 'SAML profiles §4.1.5: only where the connection allows it',
    lies: { inResponseTo: null, confirmationInResponseTo: null },
  },
  {
    name: 'SPNameQualifier is somebody else',
    clause: 'SAML core §8.3.7: the name is one that another service provider knows',
    control: 'SPNameQualifier is ours',
    lies: { spNameQualifier: elsewhere },
  },
];

export const addressingAttacks = attacks('addressing', drafts);
