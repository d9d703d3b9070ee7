// Metadata as identity providers and their administrators write it, and as somebody writes it who means no good.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { newSamlKey } from '@reeve/testing/saml';
import { readIdpMetadata } from './idp-metadata.ts';

let certificate: string;
let other: string;
let ec: string;
const base64Of = (pem: string) => pem.replace(/-----[A-Z ]+-----|\s/g, '');

beforeAll(async () => {
  certificate = base64Of((await newSamlKey()).certificate);
  other = base64Of((await newSamlKey()).certificate);
  ec = base64Of((await newSamlKey({ type: 'ec' })).certificate);
});

const protocol = 'urn:oasis:names:tc:SAML:2.0:protocol';
const redirect = 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect';
const key = (of: string, use = ' use="signing"') =>
  `<md:KeyDescriptor${use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
${of}
</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`;
const sso = (location = 'https://idp.example/sso') =>
  `<md:SingleSignOnService Binding="${redirect}" Location="${location}"/>`;
const entity = (inside: string, more = '') =>
  `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
    entityID="https://idp.example"${more}>${inside}</md:EntityDescriptor>`;
const idp = (inside: string, more = '') =>
  `<md:IDPSSODescriptor protocolSupportEnumeration="${protocol}"${more}>${inside}</md:IDPSSODescriptor>`;
const read = (text: string) => readIdpMetadata(Buffer.from(text), new Date('2026-11-26T12:00:00Z'));

describe('metadata is read', () => {
  test('with a declaration, comments wherever they stand, and roles that are none of ours', () => {
    const text = `<?xml version="1.0" encoding="utf-8"?>
<!-- written by hand, with <!DOCTYPE in a comment -->
${entity(`<!-- a role -->
<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="fed:SecurityTokenServiceType"
  xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" protocolSupportEnumeration="x">${key(other)}</md:RoleDescriptor>
${idp(`${key(certificate)}${sso()}`)}
<md:SPSSODescriptor protocolSupportEnumeration="${protocol}">${key(other)}</md:SPSSODescriptor>`)}
<!-- the end -->`;
    expect(read(text)).toMatchObject({ entityId: 'https://idp.example', sso: { redirect: 'https://idp.example/sso' } });
    expect(read(text).certificates).toHaveLength(1);
  });

  test('with each key that may sign, once', () => {
    const inside = `${key(certificate)}${key(other, '')}${key(certificate)}${key(ec, ' use="encryption"')}${sso()}`;
    expect(read(entity(idp(inside))).certificates).toHaveLength(2);
  });

  test('with the keys that are of use, beside those that are not', () => {
    const inside = `${key(ec)}${key(certificate)}${sso()}`;
    expect(read(entity(idp(inside))).certificates).toHaveLength(1);
  });

  test('with the certificate of a key alone, and not of those who vouch for it', () => {
    const chain = key(certificate).replace('</ds:X509Data>', `<ds:X509Certificate>${other}</ds:X509Certificate>$&`);
    expect(read(entity(idp(`${chain}${sso()}`)))).toEqual(read(entity(idp(`${key(certificate)}${sso()}`))));
  });

  test('inside a list of one', () => {
    const list = (...all: string[]) =>
      `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${all.join('')}</md:EntitiesDescriptor>`;
    const one = entity(idp(`${key(certificate)}${sso()}`));
    expect(read(list(one)).entityId).toBe('https://idp.example');
    expect(() => read(list(one, one.replace('idp.example"', 'other.example"')))).toThrow('several identity providers');
  });
});

describe('metadata is refused', () => {
  const good = () => `${key(certificate)}${sso()}`;
  const wrong: [string, () => string, string][] = [
    ['without a key', () => entity(idp(sso())), 'no certificate'],
    ['with a key of a kind that is not taken', () => entity(idp(key(ec) + sso())), 'RSA key'],
    ['with a certificate that is none', () => entity(idp(key('AAAA') + sso())), 'certificate cannot be read'],
    ['without a place to sign in', () => entity(idp(key(certificate))), 'SingleSignOnService'],
    ['with a place that is no address', () => entity(idp(key(certificate) + sso('nowhere'))), 'sso.redirect'],
    ['for another protocol', () => entity(idp(good()).replace(protocol, 'other')), 'does not speak SAML 2.0'],
    ['that is over', () => entity(idp(good()), ' validUntil="2026-11-26T11:59:59Z"'), 'counted until'],
    ['that is over in its role', () => entity(idp(good(), ' validUntil="2020-01-01T00:00:00Z"')), 'counted until'],
    ['with a time that is none', () => entity(idp(good()), ' validUntil="soon"'), 'validUntil'],
    ['with a document type', () => `<!DOCTYPE x>${entity(idp(good()))}`, 'document type'],
    ['with an entity', () => entity(idp(good())).replace('idp.example"', '&e;"'), 'cannot be read'],
    ['with a reference to no character', () => entity(idp(good())).replace('idp.example"', '&#x1;"'), 'does not have'],
    ['with half a character', () => entity(idp(good())).replace('idp.example"', '&#xD800;"'), 'does not have'],
    ['with a comment that does not end', () => `${entity(idp(good()))}<!-- `, 'document type, a comment'],
    ['that is a page', () => '<html><body>Sign in</body></html>', 'no identity provider'],
    ['that is nothing', () => '', 'cannot be read'],
  ];

  test.each(wrong)('%s', (_, text, why) => {
    expect(() => read(text())).toThrow(expect.objectContaining({ code: 'metadata_invalid' }));
    expect(() => read(text())).toThrow(why);
  });
});

test('metadata with a prefix for each element is refused', () => {
  const prefixes = Array.from({ length: 41 }, (_, index) => `xmlns:q${index}="u:${index}"`);
  expect(() => read(entity('').replace('<md:EntityDescriptor', `<md:EntityDescriptor ${prefixes.join(' ')}`))).toThrow(
    'too many prefixes',
  );
});

test('metadata that begins a comment again and again is refused at once', () => {
  const began = performance.now();
  expect(() => read(`${entity('')}${'<!--'.repeat(125_000)}`)).toThrow('cannot be read');
  expect(performance.now() - began).toBeLessThan(1_000);
});

test('metadata that is nothing but levels, each with a namespace, is refused at once', () => {
  const levels = Array.from({ length: 12_000 }, (_, index) => `<a${index} xmlns:n${index}="u:${index}">`);
  const began = performance.now();
  expect(() => read(`${levels.join('')}</a>`)).toThrow('cannot be read');
  expect(() => read(`<a>${"</a '>"}${levels.join('')}</a>`)).toThrow('cannot be read');
  expect(performance.now() - began).toBeLessThan(1_000);
});
