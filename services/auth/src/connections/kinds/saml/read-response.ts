// A SAML response as it came, before anything of it is believed: whether it is built as one, to whom it is addressed,
// and by which algorithms it is signed and encrypted. Most of what is done to forge a response is done to its form,
// so a form that no honest provider sends ends here. Nothing that is read here says who somebody is.
import { StepError } from '@reeve/relying-party';
import {
  authenticatedCiphers,
  canonicalizations,
  digestMethods,
  keyTransports,
  ns,
  signatureMethods,
  status,
  transforms,
  unauthenticatedCiphers,
} from './names.ts';
import {
  allNamed,
  attributeOf,
  childNamed,
  childrenNamed,
  elementsOf,
  isNamed,
  parseXml,
  parseXmlText,
  textOf,
  type XmlElement,
} from './xml.ts';

/** Base64 of it stands in a form that is a third larger. */
const mostBytes = 256 * 1_024;

export type Expected = {
  /** What the identity provider calls itself. */
  idpEntityId: string;
  spEntityId: string;
  acsUrl: string;
  /** Of the request that it answers; null for a response that nobody asked for. */
  requestId: string | null;
};

/** What is signed, where it came as it is. */
export type Form = {
  isResponseSigned: boolean;
  isAssertionSigned: boolean;
  isEncrypted: boolean;
  /** Certificates that came along, in base64: nobody's word, but a hint at what has changed. */
  certificates: string[];
};

/** The XML in a `SAMLResponse` of the binding HTTP-POST. Throws StepError. */
export function decodePosted(base64: string): Buffer {
  const compact = base64.replace(/\s+/g, '');
  if (compact.length > (mostBytes / 3) * 4) throw new StepError('saml_malformed');
  const bytes = Buffer.from(compact, 'base64');
  // What a decoder leaves out, another one may not.
  if (bytes.length === 0 || bytes.toString('base64') !== compact) throw new StepError('saml_malformed');
  return bytes;
}

/** Throws StepError, or XmlError where it is no XML that we read. */
export function checkForm(bytes: Uint8Array, expected: Expected): Form {
  const response = parseXml(bytes);
  if (!isNamed(response, ns.protocol, 'Response') || attributeOf(response, 'Version') !== '2.0')
    throw new StepError('saml_malformed');
  const isResponseSigned = childNamed(response, ns.signature, 'Signature') !== null;
  checkAddress(response, expected, isResponseSigned);
  checkStatus(response);
  const assertion = onlyAssertion(response);
  const isEncrypted = assertion.localName === 'EncryptedAssertion';
  for (const signature of allNamed(response, 'Signature')) checkSignature(signature, [response, assertion]);
  const isAssertionSigned = childNamed(assertion, ns.signature, 'Signature') !== null;
  if (isEncrypted) checkEncryption(assertion, isResponseSigned);
  else if (!isResponseSigned && !isAssertionSigned) throw new StepError('saml_signature', { seen: { signed: false } });
  const certificates = allNamed(response, 'X509Certificate').map(one => textOf(one).replace(/\s+/g, ''));
  return { isResponseSigned, isAssertionSigned, isEncrypted, certificates };
}

/** SAML Profiles §4.1.4.2, Bindings §3.5.5.2: what is signed says whose it is, and where it is to go. */
function checkAddress(response: XmlElement, { idpEntityId, acsUrl, requestId }: Expected, isSigned: boolean): void {
  const issuer = childNamed(response, ns.assertion, 'Issuer');
  const said = issuer && textOf(issuer);
  if (said === null ? isSigned : said !== idpEntityId)
    throw new StepError('saml_issuer', { seen: { expected: idpEntityId, found: said } });
  const destination = attributeOf(response, 'Destination');
  if (destination === null ? isSigned : destination !== acsUrl)
    throw new StepError('saml_destination', { seen: { expected: acsUrl, found: destination, where: 'Destination' } });
  const answered = attributeOf(response, 'InResponseTo');
  if (answered !== requestId)
    throw new StepError('saml_response_to', { seen: { expected: requestId, found: answered, where: 'Response' } });
}

/** Also beside an assertion, which a provider that refuses does not send. */
function checkStatus(response: XmlElement): void {
  const said = childNamed(response, ns.protocol, 'Status');
  const code = said && childNamed(said, ns.protocol, 'StatusCode');
  if (!code) throw new StepError('saml_malformed');
  const value = attributeOf(code, 'Value');
  if (value === status.success) return;
  const [nested] = childrenNamed(code, ns.protocol, 'StatusCode');
  const [message] = childrenNamed(said, ns.protocol, 'StatusMessage');
  const subStatus = nested ? attributeOf(nested, 'Value') : null;
  const description = message ? textOf(message) : null;
  throw new StepError('refused_by_provider', { seen: { status: value, subStatus, description } });
}

/** One in all of the document, encrypted or not, right below the root: what else is called so is there to mislead. */
function onlyAssertion(response: XmlElement): XmlElement {
  const found = [...allNamed(response, 'Assertion'), ...allNamed(response, 'EncryptedAssertion')];
  const [assertion] = found;
  const isInPlace = assertion?.namespaceURI === ns.assertion && assertion.parentNode === response;
  if (!assertion || !isInPlace || found.length > 1) throw new StepError('saml_malformed');
  return assertion;
}

/** The assertion that was encrypted: a signature in it is held to the same rules. Returns whether there is one. */
export function checkDecrypted(text: string): { isSigned: boolean } {
  const assertion = parseXmlText(text);
  if (!isNamed(assertion, ns.assertion, 'Assertion') || allNamed(assertion, 'Assertion').length > 1)
    throw new StepError('saml_malformed');
  const signatures = allNamed(assertion, 'Signature');
  for (const signature of signatures) checkSignature(signature, [assertion]);
  return { isSigned: signatures.length > 0 };
}

/** An enveloped signature over just the element that it stands in (SAML Core §5.4). */
export function checkSignature(signature: XmlElement, mayBeSigned: readonly XmlElement[]): void {
  const signed = mayBeSigned.find(element => element === signature.parentNode);
  const info = childNamed(signature, ns.signature, 'SignedInfo');
  if (!signed || !info || allNamed(signature, 'SignedInfo').length > 1) throw new StepError('saml_signature');
  const [reference, ...others] = childrenNamed(info, ns.signature, 'Reference');
  if (!reference || others.length > 0 || allNamed(signature, 'Reference').length > 1)
    throw new StepError('saml_signature');
  const id = attributeOf(signed, 'ID');
  if (id === null || attributeOf(reference, 'URI') !== `#${id}`) throw new StepError('saml_signature');
  if (allNamed(signature, 'Object').length > 0) throw new StepError('saml_signature');
  checkAlgorithms(info, reference);
}

function checkAlgorithms(info: XmlElement, reference: XmlElement): void {
  const used = (parent: XmlElement, name: string) =>
    childrenNamed(parent, ns.signature, name).map(element => attributeOf(element, 'Algorithm') ?? '');
  const list = childNamed(reference, ns.signature, 'Transforms');
  const steps = list ? used(list, 'Transform') : [];
  const isTaken =
    isOneOf(used(info, 'SignatureMethod'), signatureMethods) &&
    isOneOf(used(info, 'CanonicalizationMethod'), canonicalizations) &&
    isOneOf(used(reference, 'DigestMethod'), digestMethods) &&
    steps.length <= 2 &&
    steps.every(step => transforms.includes(step)) &&
    (list === null || elementsOf(list).length === steps.length);
  if (isTaken) return;
  const found = allNamed(info, 'SignatureMethod').concat(allNamed(info, 'DigestMethod'), allNamed(info, 'Transform'));
  throw new StepError('saml_algorithm', { seen: { found: namesOf(found) } });
}

const namesOf = (methods: readonly XmlElement[]): string =>
  methods.map(method => attributeOf(method, 'Algorithm') ?? 'none').join(' ');

const isOneOf = (used: readonly string[], taken: readonly string[]): boolean =>
  used.length === 1 && taken.includes(used[0] ?? '');

/** RSA-OAEP and a cipher that notices changes; one that does not, where the signature of the response notices them. */
function checkEncryption(encrypted: XmlElement, isResponseSigned: boolean): void {
  const ciphers = isResponseSigned ? [...authenticatedCiphers, ...unauthenticatedCiphers] : authenticatedCiphers;
  const methods = allNamed(encrypted, 'EncryptionMethod');
  const ofParent = (name: string) =>
    methods
      .filter(({ parentNode }) => (parentNode as XmlElement | null)?.localName === name)
      .map(method => attributeOf(method, 'Algorithm') ?? '');
  const isTaken =
    methods.length === 2 &&
    isOneOf(ofParent('EncryptedData'), ciphers) &&
    isOneOf(ofParent('EncryptedKey'), keyTransports);
  if (!isTaken) throw new StepError('saml_algorithm', { seen: { found: namesOf(methods) } });
}
