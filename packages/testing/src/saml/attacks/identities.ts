// Who somebody is, written so that one reader sees another person than the other: the signer signed the whole text, and
// a reader that takes only the first piece of it sees the victim.
import { nameIdFormats } from '../names.ts';
import { attacks, type Draft, victim } from './attack.ts';

const suffix = '.evil.test';
const attacker = `${victim}${suffix}`;

/** Puts something between the victim's name and the rest. */
const between = (xml: string, inserted: string) => xml.replace(`>${attacker}<`, `>${victim}${inserted}<`);

const splits = (name: string, inserted: string): Pick<Draft, 'name' | 'lies' | 'how' | 'clause'> => ({
  name,
  clause: 'SAML core §1.3.1: the value of a string is all of its text (CVE-2018-0489)',
  lies: { nameId: attacker, nameIdFormat: nameIdFormats.email },
  how: { finished: xml => between(xml, inserted) },
});

/** The same, by a provider that signs it so. */
const splitsSigned = (name: string, inserted: string): Draft => ({
  ...splits(name, inserted),
  how: { unsigned: xml => between(xml, inserted) },
});

const drafts: Draft[] = [
  { ...splits('a comment inside NameID', `<!---->${suffix}`), harmlessIfRead: attacker },
  { ...splits('CDATA inside NameID', `<![CDATA[${suffix}]]>`), harmlessIfRead: attacker },
  { ...splitsSigned('a processing instruction inside NameID', `<?x y?>${suffix}`), harmlessIfRead: attacker },
  splitsSigned('a child element inside NameID', `<saml:Extra>${suffix}</saml:Extra>`),
  {
    name: 'a child element with the victim inside NameID',
    clause: 'SAML core §2.2.2: NameID holds a string',
    lies: { nameId: attacker, nameIdFormat: nameIdFormats.email },
    how: { unsigned: xml => xml.replace(`>${attacker}<`, `><saml:Extra>${victim}</saml:Extra><`) },
  },
  {
    name: 'a comment inside an attribute’s value',
    clause: 'SAML core §2.7.3.1.1',
    lies: { attributes: { email: attacker } },
    how: { finished: xml => between(xml, `<!---->${suffix}`) },
    harmlessIfRead: attacker,
  },
  { name: 'an empty NameID', clause: 'SAML core §1.3.1: a string is not empty', lies: { nameId: '' } },
  {
    name: 'a NameID of white space',
    clause: 'SAML core §1.3.1: a string is not only white space',
    lies: { nameId: ' \n ' },
  },
  {
    name: 'a comment inside Audience',
    clause: 'SAML core §1.3.2',
    lies: ({ request }) => ({ audiences: [[`${request.issuer}${suffix}`]] }),
    how: ({ request }) => ({
      finished: xml => xml.replace(`>${request.issuer}${suffix}<`, `>${request.issuer}<!---->${suffix}<`),
    }),
  },
  {
    name: 'a comment inside Issuer',
    clause: 'SAML core §1.3.2',
    lies: ({ idp }) => ({ assertionIssuer: `${idp.entityId}${suffix}`, responseIssuer: `${idp.entityId}${suffix}` }),
    how: ({ idp }) => ({
      finished: xml => xml.replaceAll(`>${idp.entityId}${suffix}<`, `>${idp.entityId}<!---->${suffix}<`),
    }),
  },
];

export const identityAttacks = attacks('identities', drafts);
