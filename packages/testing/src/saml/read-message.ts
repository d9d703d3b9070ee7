// What a service provider sent: an AuthnRequest, LogoutRequest or LogoutResponse by either binding, and whether it was
// signed.
import type { IncomingMessage } from 'node:http';
import { inflated, type MessageName, querySignatureHolds } from './redirect-binding.ts';
import { signatureHolds } from './sign-xml.ts';
import { allOf, childrenOf, parseXml } from './xml.ts';

/** `unchecked`: signed, and nobody said by whom. */
type SignatureState = 'none' | 'holds' | 'broken' | 'unchecked';

export type Received = {
  name: MessageName;
  binding: 'redirect' | 'post';
  relayState: string | null;
  signature: SignatureState;
  xml: string;
  root: Element;
};

/** The message in a request; `certificate` is the one that the sender is known by. Null when there is none. */
export async function readMessage(request: IncomingMessage, certificate: string | null): Promise<Received | null> {
  const binding = request.method === 'POST' ? 'post' : 'redirect';
  const rawQuery = (request.url ?? '').split('?')[1] ?? '';
  const parameters = new URLSearchParams(binding === 'post' ? await textOf(request) : rawQuery);
  const name = parameters.has('SAMLRequest') ? 'SAMLRequest' : 'SAMLResponse';
  const value = parameters.get(name);
  if (value === null) return null;
  const xml = binding === 'post' ? Buffer.from(value, 'base64').toString('utf8') : inflated(value);
  const root = parseXml(xml).documentElement;
  const [enveloped] = childrenOf(root, 'Signature');
  const isSigned = binding === 'post' ? enveloped !== undefined : parameters.has('Signature');
  const holds = (by: string) =>
    enveloped && binding === 'post' ? signatureHolds(xml, enveloped, by) : querySignatureHolds(rawQuery, by);
  return { name, binding, relayState: parameters.get('RelayState'), signature: stateOf(), xml, root };

  function stateOf(): SignatureState {
    if (!isSigned) return 'none';
    if (certificate === null) return 'unchecked';
    return holds(certificate) ? 'holds' : 'broken';
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** An AuthnRequest, as its sender wrote it. */
export type AskedSignIn = ReturnType<typeof askedSignIn>;

export function askedSignIn({ root, binding, relayState, signature, xml }: Received) {
  const [policy] = childrenOf(root, 'NameIDPolicy');
  const [context] = childrenOf(root, 'RequestedAuthnContext');
  return {
    id: root.getAttribute('ID') ?? '',
    issuer: textIn(root, 'Issuer') ?? '',
    acsUrl: root.getAttribute('AssertionConsumerServiceURL') ?? '',
    protocolBinding: attribute(root, 'ProtocolBinding'),
    destination: attribute(root, 'Destination'),
    forceAuthn: root.getAttribute('ForceAuthn') === 'true',
    isPassive: root.getAttribute('IsPassive') === 'true',
    requestedAuthnContext: context
      ? {
          comparison: attribute(context, 'Comparison'),
          classes: allOf(context, 'AuthnContextClassRef').map(({ textContent }) => textContent ?? ''),
        }
      : null,
    nameIdPolicy: policy
      ? {
          format: attribute(policy, 'Format'),
          spNameQualifier: attribute(policy, 'SPNameQualifier'),
          allowCreate: policy.getAttribute('AllowCreate') === 'true',
        }
      : null,
    binding,
    relayState,
    signature,
    xml,
  };
}

/** A LogoutRequest or a LogoutResponse, as its sender wrote it. */
export type LogoutMessage = ReturnType<typeof logoutMessage>;

export function logoutMessage({ root, binding, relayState, signature, xml }: Received) {
  const [status] = allOf(root, 'StatusCode');
  return {
    kind: root.localName === 'LogoutRequest' ? ('request' as const) : ('response' as const),
    id: root.getAttribute('ID') ?? '',
    issuer: textIn(root, 'Issuer'),
    destination: attribute(root, 'Destination'),
    nameId: textIn(root, 'NameID'),
    sessionIndexes: childrenOf(root, 'SessionIndex').map(({ textContent }) => textContent ?? ''),
    inResponseTo: attribute(root, 'InResponseTo'),
    status: status ? attribute(status, 'Value') : null,
    binding,
    relayState,
    signature,
    xml,
  };
}

// The parser answers '' for an attribute that is not there.
const attribute = (of: Element, name: string) => (of.hasAttribute(name) ? of.getAttribute(name) : null);

const textIn = (parent: Element, name: string) => childrenOf(parent, name)[0]?.textContent ?? null;
