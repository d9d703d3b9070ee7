// Logout messages of an identity provider (SAML core §3.7), each for both bindings.
import type { SamlKey } from './keys.ts';
import { namespaces } from './names.ts';
import { type MessageName, redirectUrl } from './redirect-binding.ts';
import { issuer, statusXml } from './response-xml.ts';
import { signElement } from './sign-xml.ts';
import { element, escapeXml } from './xml.ts';

export type SaidAtLogout = {
  id: string;
  version: string;
  issuer: string | null;
  issueInstant: string;
  destination: string | null;
  notOnOrAfter: string | null;
};

/** By redirect, signed in the query; by POST, signed in the message. Without a key neither is signed. */
export type LogoutByBinding = { id: string; redirect: string; post: Record<string, string> };

function message(name: string, said: SaidAtLogout, more: Record<string, string | null>, ...children: string[]): string {
  return element(
    `samlp:${name}`,
    {
      'xmlns:samlp': namespaces.protocol,
      'xmlns:saml': namespaces.assertion,
      ID: said.id,
      Version: said.version,
      IssueInstant: said.issueInstant,
      Destination: said.destination,
      ...more,
    },
    issuer(said.issuer),
    ...children,
  );
}

export function logoutRequestXml(
  said: SaidAtLogout,
  who: { nameId: string; nameIdFormat: string | null; sessionIndexes: readonly string[] },
): string {
  return message(
    'LogoutRequest',
    said,
    { NotOnOrAfter: said.notOnOrAfter },
    element('saml:NameID', { Format: who.nameIdFormat }, escapeXml(who.nameId)),
    ...who.sessionIndexes.map(index => element('samlp:SessionIndex', {}, escapeXml(index))),
  );
}

export const logoutResponseXml = (said: SaidAtLogout, inResponseTo: string | null, status: string) =>
  message('LogoutResponse', said, { InResponseTo: inResponseTo }, statusXml({ status, subStatus: null }));

export function byEachBinding(
  { name, xml, id, relayState }: { name: MessageName; xml: string; id: string; relayState?: string | undefined },
  destination: string,
  signing: { key: SamlKey; method?: string } | null,
): LogoutByBinding {
  const signed = signing === null ? xml : signElement(xml, id, signing);
  return {
    id,
    redirect: redirectUrl(destination, { name, xml, relayState }, signing),
    post: {
      [name]: Buffer.from(signed, 'utf8').toString('base64'),
      ...(relayState === undefined ? {} : { RelayState: relayState }),
    },
  };
}
