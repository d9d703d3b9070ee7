// Reads XML that somebody else wrote, strictly. What a lenient parser repairs, another one repairs differently, and
// forged documents live in the difference: so there is no document type, comment, CDATA section or processing
// instruction, nothing around the root, and no repair.
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';

export type XmlElement = globalThis.Element;

export class XmlError extends Error {}

const deepest = 40;
const mostElements = 3_000;
const mostPrefixes = 40;
const mostAttributes = 100;

const declaration = /^\uFEFF?\s*(<\?xml\s[^<>]*\?>)?\s*/;
/** `<` begins markup wherever it stands, so these are found without parsing. */
const forbidden = /<[!?]/;
/** Other than XML 1.0 §2.2 has. */
const noCharacter = /[^\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
/** XML has them, and parsers take them for the end of a line, or not. */
const oddLineEnds = /[\u0085\u2028]/;
const endsWithTag = /<\/[^<>\s]+\s*>\s*$/;
const ids = /^id$/i;

const refuse = (why: string): never => {
  throw new XmlError(why);
};

/** The root of a document. Throws XmlError for what is not well formed, or larger or odder than anybody needs. */
export function parseXml(bytes: Uint8Array): XmlElement {
  return parseXmlText(decodeUtf8(bytes));
}

/** The same without its comments: for what an administrator has written by hand, and nobody has signed. */
export function parseCommentedXml(bytes: Uint8Array): XmlElement {
  return parseXmlText(withoutComments(decodeUtf8(bytes)));
}

/** `<` stands nowhere else in a document, so these are what a parser takes for comments. In one pass, however many. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  for (let from = 0; ; ) {
    const begin = text.indexOf('<!--', from);
    const end = begin === -1 ? -1 : text.indexOf('-->', begin + 4);
    if (end === -1) return kept.concat(text.slice(from)).join('');
    kept.push(text.slice(from, begin));
    from = end + 3;
  }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse('it is not UTF-8');
  }
}

export function parseXmlText(text: string): XmlElement {
  const declared = declaration.exec(text)?.[0] ?? '';
  const said = /encoding\s*=\s*["']([^"']*)["']/.exec(declared)?.[1] ?? 'UTF-8';
  if (!/^(utf-8|us-ascii)$/i.test(said)) refuse('it says that it is not UTF-8');
  const body = text.slice(declared.length);
  if (forbidden.test(body)) refuse('it holds a document type, a comment, a CDATA section or a processing instruction');
  if (noCharacter.test(body) || refersToNone(body)) refuse('it holds characters that XML does not have');
  if (oddLineEnds.test(body)) refuse('it holds line ends that are not those of XML 1.0');
  assertFewPrefixes(body);
  if (!body.startsWith('<') || !endsWithTag.test(body)) refuse('there is something around its root');
  assertShallow(body);
  const document = new DOMParser({
    locator: {},
    // One function for every level, since its warnings are repairs.
    errorHandler: (level: string, message: unknown) => refuse(`${level}: ${String(message).slice(0, 200)}`),
  } as never).parseFromString(body, 'text/xml');
  const roots = [...nodesOf(document)].filter(isElement);
  const [root] = roots;
  if (!root || roots.length > 1) return refuse('it has no single root');
  assertReasonable(root);
  return root;
}

/** By a reference, as `&#0;`: nobody could write again what was read of it. */
function refersToNone(text: string): boolean {
  for (const [, hex, decimal] of text.matchAll(/&#(?:x([0-9a-f]+)|([0-9]+));/gi)) {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    if (code > 0x10ffff || noCharacter.test(String.fromCodePoint(code))) return true;
  }
  return false;
}

/** What is verified is written anew, and each element with the prefixes that are known there. */
function assertFewPrefixes(text: string): void {
  const prefixes = new Set<string>();
  for (const [, prefix = ''] of text.matchAll(/\sxmlns:([^\s=]+)\s*=/g)) {
    prefixes.add(prefix);
    if (prefixes.size > mostPrefixes) refuse('it has too many prefixes');
  }
}

/**
 * Before anything is built of it: the parser copies the namespaces of each level to the next, which takes seconds of a
 * document that is nothing but levels.
 */
function assertShallow(text: string): void {
  let [depth, count] = [0, 0];
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    const isClosing = text[at + 1] === '/';
    const end = isClosing ? text.indexOf('>', at) : endOfTag(text, at);
    if (end === -1) return;
    if (isClosing) depth -= 1;
    else if (text[end - 1] !== '/') depth += 1;
    count += 1;
    if (depth > deepest) refuse('it is nested too deeply');
    if (count > 2 * mostElements) refuse('it has too many elements');
    at = end;
  }
}

/** A `>` may stand in the value of an attribute. */
function endOfTag(text: string, from: number): number {
  let quote = '';
  for (let at = from; at < text.length; at += 1) {
    const character = text[at] as string;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  return -1;
}

/** Without recursion, which a deep document would turn against us. */
function assertReasonable(root: XmlElement): void {
  const seen = new Set<string>();
  for (const { element, depth } of walk(root)) {
    if (depth > deepest) refuse('it is nested too deeply');
    if (element.attributes.length > mostAttributes) refuse('an element has too many attributes');
    for (const { name, value } of attributesOf(element)) {
      if (!ids.test(name)) continue;
      if (seen.has(value)) refuse('two elements have the same ID');
      seen.add(value);
    }
  }
}

function* walk(root: XmlElement): Generator<{ element: XmlElement; depth: number }> {
  const waiting = [{ element: root, depth: 1 }];
  for (let count = 1; ; count += 1) {
    const next = waiting.pop();
    if (!next) return;
    if (count > mostElements) refuse('it has too many elements');
    yield next;
    for (const element of elementsOf(next.element).reverse()) waiting.push({ element, depth: next.depth + 1 });
  }
}

function* nodesOf(parent: globalThis.Node): Generator<globalThis.Node> {
  for (let node = parent.firstChild; node; node = node.nextSibling) yield node;
}

const isElement = (node: globalThis.Node): node is XmlElement => node.nodeType === 1;

function* attributesOf({ attributes }: XmlElement): Generator<{ name: string; value: string }> {
  for (let index = 0; index < attributes.length; index += 1) {
    const attribute = attributes.item(index);
    if (attribute) yield attribute;
  }
}

export const elementsOf = (parent: XmlElement): XmlElement[] => [...nodesOf(parent)].filter(isElement);

/** Every element of that name below, and the root, in whichever namespace and in the order of the document. */
export const allNamed = (root: XmlElement, localName: string): XmlElement[] =>
  [...walk(root)].map(({ element }) => element).filter(element => element.localName === localName);

export const isNamed = (element: XmlElement, namespace: string, localName: string): boolean =>
  element.namespaceURI === namespace && element.localName === localName;

export const childrenNamed = (parent: XmlElement, namespace: string, localName: string): XmlElement[] =>
  elementsOf(parent).filter(element => isNamed(element, namespace, localName));

/** The one child of that name; null where there is none. Throws XmlError for several. */
export function childNamed(parent: XmlElement, namespace: string, localName: string): XmlElement | null {
  const [first = null, ...others] = childrenNamed(parent, namespace, localName);
  if (others.length > 0) refuse(`it has several ${localName}`);
  return first;
}

/** What the element holds, which is text alone. Throws XmlError where another element stands in it. */
export function textOf(element: XmlElement): string {
  if (elementsOf(element).length > 0) refuse(`${element.localName} holds more than text`);
  return trimmed(element.textContent ?? '');
}

const space = '\t\n\r ';

/** Without what XML calls white space around it: other blanks tell one name from another. */
export function trimmed(text: string): string {
  let [from, to] = [0, text.length];
  while (from < to && space.includes(text[from] as string)) from += 1;
  while (to > from && space.includes(text[to - 1] as string)) to -= 1;
  return text.slice(from, to);
}

export const writeXml = (element: XmlElement): string => new XMLSerializer().serializeToString(element);

/** Null where it is missing or empty. */
export const attributeOf = (element: XmlElement, name: string): string | null => element.getAttribute(name) || null;
