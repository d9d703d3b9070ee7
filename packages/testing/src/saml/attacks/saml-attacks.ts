// The corpus: responses that a service provider has to refuse, each beside one that it has to accept and that differs
// from it by the defect alone. What it takes two requests, two browsers or two tenants to show is not here:
// `responseFor` and `inNewResponse` make what such a test needs.
import { deflateRawSync } from 'node:zlib';
import { parseXml, writeXml } from '../xml.ts';
import { addressingAttacks } from './addressing.ts';
import { base64, type SamlAnswer, type SamlAttack } from './attack.ts';
import { documentAttacks } from './documents.ts';
import { encryptionAttacks } from './encrypted.ts';
import { honestResponses } from './honest.ts';
import { identityAttacks } from './identities.ts';
import { signatureAttacks } from './signatures.ts';
import { statementAttacks } from './statements.ts';
import { timeAttacks } from './times.ts';
import { unsigned, wrappingAttacks } from './wrapping.ts';

/**
 * All items, for a provider with an RSA key and a service provider that allows clocks to differ by so many seconds.
 * Whom the provider signs in holds for them too; what it signs, encrypts and bends is the item's to say.
 */
export const samlAttacks = ({ skewSeconds = 60 } = {}): SamlAttack[] => [
  ...honestResponses,
  ...wrappingAttacks,
  ...signatureAttacks,
  ...encryptionAttacks,
  ...identityAttacks,
  ...addressingAttacks,
  ...timeAttacks(skewSeconds),
  ...statementAttacks,
  ...documentAttacks,
];

/** The body of the POST to the assertion consumer service. */
export function formOf(answer: SamlAnswer, relayState?: string): URLSearchParams {
  const fields = typeof answer === 'string' ? [['SAMLResponse', answer]] : answer;
  return new URLSearchParams([...fields, ...(relayState === undefined ? [] : [['RelayState', relayState]])]);
}

/** A value for SAMLRequest or SAMLResponse of HTTP-Redirect: a few kilobytes that become so many megabytes. */
export const deflateBomb = (megabytes: number): string =>
  deflateRawSync(`<samlp:LogoutRequest>${' '.repeat(megabytes * 1_000_000)}</samlp:LogoutRequest>`).toString('base64');

/** A used assertion in a Response of another ID, which is not signed: it is the assertion that was used. */
export function inNewResponse(samlResponse: string, responseId: string): string {
  const document = parseXml(Buffer.from(samlResponse, 'base64').toString('utf8'));
  unsigned(document.documentElement).setAttribute('ID', responseId);
  return base64(writeXml(document));
}
