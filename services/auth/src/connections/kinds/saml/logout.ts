// A request for single logout (SAML Profiles §4.4) that a browser brings from the identity provider. One that is
// unsigned is nobody's word: anybody could end other people's sessions by it.
import { verify } from 'node:crypto';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { StepError } from '@reeve/relying-party';
import type { Idp } from './idp-metadata.ts';
import { ns } from './names.ts';
import { skewMs } from './read-assertion.ts';
import { checkSignature, decodePosted } from './read-response.ts';
import { signedText } from './signed-text.ts';
import {
  attributeOf,
  childNamed,
  childrenNamed,
  isNamed,
  parseXml,
  parseXmlText,
  textOf,
  type XmlElement,
  XmlError,
} from './xml.ts';

type LogoutRequest = { id: string; nameId: string; sessionIndexes: string[]; relayState: string | null };

type Came = { method: 'get' | 'post'; brought: string };
type Where = { idp: Idp; sloUrl: string; now: Date };

const mostBytes = 64 * 1_024;
/** How old a message may be: nobody stops on the way. */
const oldestMs = 300_000;

/** The algorithms of the binding HTTP-Redirect, as node has them. */
const queryAlgorithms = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'sha512'],
]);

/** Throws StepError for what is not from this provider, to us, and of now. */
export async function readLogoutRequest({ method, brought }: Came, where: Where): Promise<LogoutRequest> {
  try {
    const signed = method === 'get' ? await readQuery(brought, where.idp) : readForm(brought, where.idp);
    return requestIn(signed, where);
  } catch (error) {
    throw error instanceof XmlError ? new StepError('saml_malformed', { cause: error }) : error;
  }
}

type Signed = { message: XmlElement; relayState: string | null };

/** SAML Bindings §3.4.4.1: the signature is over the query as it was written. */
async function readQuery(brought: string, { certificates }: Idp): Promise<Signed> {
  const written = new Map<string, string>();
  for (const part of brought.replace(/^\?/, '').split('&')) {
    const name = part.split('=', 1)[0] ?? '';
    if (written.has(name)) throw new StepError('saml_malformed');
    written.set(name, part);
  }
  const parameters = new URLSearchParams(brought);
  // One that is written in another way, as `%53AMLRequest`, would be read in place of the one that is signed.
  const isOdd = (name: string) => parameters.getAll(name).length !== (written.has(name) ? 1 : 0);
  if (['SAMLRequest', 'RelayState', 'SigAlg', 'Signature'].some(isOdd)) throw new StepError('saml_malformed');
  const algorithm = queryAlgorithms.get(parameters.get('SigAlg') ?? '');
  if (algorithm === undefined) throw new StepError(written.has('SigAlg') ? 'saml_algorithm' : 'saml_signature');
  const octets = ['SAMLRequest', 'RelayState', 'SigAlg'].flatMap(one => written.get(one) ?? []).join('&');
  const signature = Buffer.from(parameters.get('Signature') ?? '', 'base64');
  if (!certificates.some(pem => verify(algorithm, Buffer.from(octets), pem, signature)))
    throw new StepError('saml_signature');
  const deflated = Buffer.from(parameters.get('SAMLRequest') ?? '', 'base64');
  const bytes = await promisify(inflateRaw)(deflated, { maxOutputLength: mostBytes }).catch((cause: unknown) => {
    throw new StepError('saml_malformed', { cause });
  });
  return { message: parseXml(bytes), relayState: parameters.get('RelayState') };
}

/** The signature is in the message, and what is read is what it covers. */
function readForm(brought: string, { certificates }: Idp): Signed {
  const form = new URLSearchParams(brought);
  const [base64, ...others] = form.getAll('SAMLRequest');
  if (base64 === undefined || others.length > 0) throw new StepError('saml_malformed');
  const bytes = decodePosted(base64);
  const root = parseXml(bytes);
  const signature = childNamed(root, ns.signature, 'Signature');
  if (!signature) throw new StepError('saml_signature');
  checkSignature(signature, [root]);
  const signed = signedText(bytes.toString('utf8'), root, certificates);
  if (signed === null) throw new StepError('saml_signature');
  return { message: parseXmlText(signed), relayState: form.get('RelayState') };
}

function requestIn({ message, relayState }: Signed, { idp, sloUrl, now }: Where): LogoutRequest {
  const id = attributeOf(message, 'ID');
  const issuer = childNamed(message, ns.assertion, 'Issuer');
  if (id === null || attributeOf(message, 'Version') !== '2.0') throw new StepError('saml_malformed');
  if (!issuer || textOf(issuer) !== idp.entityId) throw new StepError('saml_issuer');
  if (attributeOf(message, 'Destination') !== sloUrl) throw new StepError('saml_destination');
  assertOfNow(message, now.getTime());
  if (!isNamed(message, ns.protocol, 'LogoutRequest')) throw new StepError('saml_malformed');
  const named = childNamed(message, ns.assertion, 'NameID');
  if (!named) throw new StepError('saml_subject');
  const sessionIndexes = childrenNamed(message, ns.protocol, 'SessionIndex').map(textOf);
  return { id, nameId: textOf(named), sessionIndexes, relayState };
}

function assertOfNow(message: XmlElement, now: number): void {
  const issued = Date.parse(attributeOf(message, 'IssueInstant') ?? '');
  const ends = attributeOf(message, 'NotOnOrAfter');
  const isOfNow =
    issued > now - oldestMs && issued < now + skewMs && !(ends !== null && !(Date.parse(ends) > now - skewMs));
  if (!isOfNow) throw new StepError('saml_time');
}

/** Until when a message may come again, and has to be remembered. */
export const logoutUntil = (now: Date): Date => new Date(now.getTime() + oldestMs + skewMs);
