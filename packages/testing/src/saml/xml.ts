// Text to XML and back: how the messages here are written, and how what others sent is read.
import { DOMParser, XMLSerializer } from '@xmldom/xmldom';

/** An attribute that is null is left out. */
export type Attributes = Record<string, string | null>;

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escapeXml = (text: string) => text.replace(/[&<>"]/g, character => entities[character] ?? character);

/** An element as text. The children are XML already: what is text goes through `escapeXml`. */
export function element(name: string, attributes: Attributes, ...children: (string | null)[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => ` ${key}="${escapeXml(value ?? '')}"`)
    .join('');
  return `<${name}${written}>${children.join('')}</${name}>`;
}

/** Throws for what is not well-formed; the parser alone would repair it and go on. */
export function parseXml(xml: string): Document {
  const refuse = (message: string) => {
    throw new Error(`not well-formed: ${message}`);
  };
  return new DOMParser({ errorHandler: { warning: refuse, error: refuse, fatalError: refuse } }).parseFromString(
    xml,
    'text/xml',
  );
}

export const writeXml = (node: Node) => new XMLSerializer().serializeToString(node);

/** The elements of this name under `node`, in any namespace and at any depth. */
export const allOf = (node: Document | Element, localName: string): Element[] =>
  Array.from(node.getElementsByTagNameNS('*', localName));

/** The first of them. */
export function oneOf(node: Document | Element, localName: string): Element {
  const [found] = allOf(node, localName);
  if (!found) throw new Error(`there is no ${localName}`);
  return found;
}

/** The elements of this name that stand in `parent` itself. */
export const childrenOf = (parent: Element, localName: string): Element[] =>
  Array.from(parent.childNodes).filter((node): node is Element => (node as Element).localName === localName);
