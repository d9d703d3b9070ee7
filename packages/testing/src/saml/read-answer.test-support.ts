// Reads what the corpus sends as far as the signer's own library can, to say which signatures in it hold.
import { inflateRawSync } from 'node:zlib';
import { type DecryptOptions, decrypt } from 'xml-encryption';
import type { SamlAnswer } from './attacks/attack.ts';
import { formOf } from './attacks/saml-attacks.ts';
import { signatureVerifies } from './sign-xml.ts';
import { allOf, parseXml, writeXml } from './xml.ts';

type Found = { xml: string; signature: Element };

const hasSignature = (xml: string) => /SignatureValue|EncryptedAssertion/.test(xml);

/** A value of SAMLResponse as text, whatever it went through on its way. */
function textOf(value: string): string {
  if (value.startsWith('<')) return value;
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length === 0) return '';
  if (bytes[0] === 0xff) return bytes.toString('utf16le').slice(1);
  if (bytes.includes('ISO-8859-1')) return bytes.toString('latin1');
  const text = bytes.toString('utf8');
  return /<\w+:\w/.test(text) ? text : inflateRawSync(bytes).toString('utf8');
}

/** The message that the provider signed, without the DTD, the entities and the other roots around it. */
export function signedTextIn(answer: SamlAnswer): string {
  const text = formOf(answer).getAll('SAMLResponse').map(textOf).find(hasSignature) ?? '';
  const expanded = text
    .replace(/<!DOCTYPE [^[>]*(?:\[.*?\])?>/s, '')
    .replaceAll('&who;', 'somebody')
    .replaceAll('&x;', '');
  const [start, end] = [/<\w+:(?:Response|Assertion)\b/.exec(expanded)?.index ?? 0, expanded.lastIndexOf('>') + 1];
  const roots = expanded.slice(start, end).split(/(?<=<\/samlp:Response>)(?=<samlp:Response)/);
  return roots.find(hasSignature) ?? '';
}

/** The signatures that stand in a Response or an Assertion, also in one that is encrypted for one of these keys. */
export function signaturesIn(xml: string, decryptionKeys: readonly string[]): Found[] {
  const document = readable(xml);
  if (!document) return [];
  const here = allOf(document, 'Signature')
    .filter(({ parentNode }) => /Response|Assertion/.test((parentNode as Element).localName))
    .map(signature => ({ xml, signature }));
  const inside = allOf(document, 'EncryptedAssertion').flatMap(encrypted => {
    const assertion = decryptedBy(decryptionKeys, writeXml(encrypted));
    return assertion === null ? [] : signaturesIn(assertion, []);
  });
  return [...here, ...inside];
}

function readable(xml: string): Document | null {
  try {
    return parseXml(xml);
  } catch {
    return null;
  }
}

function decryptedBy(keys: readonly string[], encrypted: string): string | null {
  const options = { disallowDecryptionWithInsecureAlgorithm: false, warnInsecureAlgorithm: false };
  const texts = keys.map(key => {
    let text: string | null = null;
    decrypt(encrypted, { key, ...options } satisfies DecryptOptions, (error, result) => {
      text = error ? null : result;
    });
    return text as string | null;
  });
  const found = texts.find(text => text !== null) ?? '';
  // What stands before the signed one is the attacker's.
  return found.split(/(?=<saml:Assertion)|(?<=\]>)/).find(hasSignature) ?? null;
}

/** Whether the signature holds over whatever it refers to. Where an ID is there twice, its own element is meant. */
export function holdsSomewhere({ signature }: Found, certificate: string): boolean {
  const document = signature.ownerDocument;
  const own = signature.parentNode as Element;
  const named = (id: string) =>
    Array.from(document.getElementsByTagName('*')).filter(each => each.getAttribute('ID') === id);
  const namesakes = named(own.getAttribute('ID') ?? '');
  if (namesakes.length > 1) for (const other of namesakes) if (other !== own) other.setAttribute('ID', '_other');
  return signatureVerifies(writeXml(document), signature, certificate);
}
