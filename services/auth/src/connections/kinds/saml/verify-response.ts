// A SAML response, from its bytes to who somebody is. node-saml checks the signatures, xml-encryption decrypts; what
// it lets through is refused before (read-response.ts) and after (read-assertion.ts), and of what it returns only the
// bytes are taken that a signature covers.
import { X509Certificate } from 'node:crypto';
import { SAML, type SamlOptions } from '@node-saml/node-saml';
import { type Seen, StepError } from '@reeve/relying-party';
import xmlEncryption, { type DecryptOptions } from 'xml-encryption';
import type { Idp } from './idp-metadata.ts';
import { ns } from './names.ts';
import { type Asserted, readAssertion } from './read-assertion.ts';
import { checkDecrypted, checkForm, decodePosted, type Expected, type Form } from './read-response.ts';
import { signedText, signersOf } from './signed-text.ts';
import { allNamed, parseXml, parseXmlText, writeXml, XmlError } from './xml.ts';

/** One signature is enough, since either covers who somebody is; a connection may insist on more. */
export const wantSigned = ['either', 'response', 'assertion', 'both'] as const;
type WantSigned = (typeof wantSigned)[number];

export type Verification = {
  idp: Idp;
  expected: Omit<Expected, 'idpEntityId'>;
  /** Whether it has to be encrypted, and what of it has to be signed. */
  wantEncrypted: boolean;
  wantSigned: WantSigned;
  /** PEM, asked for only where something is encrypted. */
  privateKeys: () => Promise<readonly string[]>;
  now: Date;
};

/** Throws StepError for what is not to be believed. */
export async function verifyResponse(base64: string, verification: Verification): Promise<Asserted> {
  try {
    return await verify(base64, verification);
  } catch (error) {
    if (!(error instanceof XmlError)) throw error;
    throw new StepError('saml_malformed', { cause: error, seen: { problem: error.message } });
  }
}

async function verify(base64: string, { idp, wantEncrypted, privateKeys, now, ...given }: Verification) {
  const wants = (what: WantSigned) => given.wantSigned === what || given.wantSigned === 'both';
  const expected: Expected = { ...given.expected, idpEntityId: idp.entityId };
  const bytes = decodePosted(base64);
  const came = checkForm(bytes, expected);
  if (wants('response') && !came.isResponseSigned) throw new StepError('saml_signature', { seen: { signed: false } });
  const form = { ...came, isAssertionSigned: came.isAssertionSigned || wants('assertion') };
  if (wantEncrypted && !form.isEncrypted) throw new StepError('saml_encryption');
  const keys = form.isEncrypted ? await privateKeys() : [];
  const checked = form.isEncrypted
    ? await assertionWithin(bytes, { idp, expected, form, keys })
    : await signedAssertion(bytes, { idp, expected, form });
  return readAssertion(checked, expected, now);
}

type Checked = { idp: Idp; expected: Expected; form: Form };

/** What node-saml takes is left to it; that it is for us is ours to say. */
async function signedAssertion(bytes: Buffer, { idp, expected, form }: Checked): Promise<string> {
  const signatures = allNamed(parseXmlText(bytes.toString('utf8').replace(/\r\n?/g, '\n')), 'Signature');
  const signers = signatures.map(signature => signersOf(signature, idp.certificates));
  if (signers.some(found => found.length === 0))
    throw new StepError('saml_signature', { seen: certificatesSeen(idp, form) });
  const options: Partial<SamlOptions> & Pick<SamlOptions, 'idpCert' | 'issuer' | 'callbackUrl'> = {
    idpCert: [...new Set(signers.flat())],
    issuer: expected.spEntityId,
    callbackUrl: expected.acsUrl,
    // Read from the signed bytes afterwards, where a refusal has a name.
    audience: false,
    acceptedClockSkewMs: -1,
    // Every signature that is there, or has to be, has to hold.
    wantAuthnResponseSigned: form.isResponseSigned,
    wantAssertionsSigned: form.isAssertionSigned,
  };
  const container = { SAMLResponse: bytes.toString('base64') };
  const { profile } = await new SAML(options).validatePostResponseAsync(container).catch((cause: unknown) => {
    throw new StepError('saml_signature', { cause, seen: certificatesSeen(idp, form) });
  });
  const text = profile?.getAssertionXml?.();
  if (text === undefined) throw new StepError('saml_signature');
  return text;
}

/**
 * Whether the certificate that came along is one of the connection's: if not, the provider has most likely a new one.
 */
function certificatesSeen({ certificates }: Idp, form: Form): Seen {
  const known = certificates.map(pem => new X509Certificate(pem).fingerprint256);
  const came = form.certificates.flatMap(base64 => fingerprintOf(base64) ?? []);
  const isKnown = came.length === 0 ? null : came.some(one => known.includes(one));
  return { isCertificateKnown: isKnown, expected: known.join(' '), found: came.join(' ') || null };
}

function fingerprintOf(base64: string): string | null {
  try {
    return new X509Certificate(Buffer.from(base64, 'base64')).fingerprint256;
  } catch {
    return null;
  }
}

/**
 * Opened here and not by node-saml, whose decryption does not know the OAEP of XML Encryption 1.1 (what Keycloak does
 * by default). What the response's signature covers is opened and nothing else; what is in it is signed as well, or
 * covered by that.
 */
async function assertionWithin(
  bytes: Buffer,
  { keys, form, ...checked }: Checked & { keys: readonly string[] },
): Promise<string> {
  const text = bytes.toString('utf8');
  const covered = form.isResponseSigned ? signedText(text, parseXml(bytes), checked.idp.certificates) : text;
  if (covered === null) throw new StepError('saml_signature', { seen: certificatesSeen(checked.idp, form) });
  const opened = await decrypted(covered, keys);
  const { isSigned } = checkDecrypted(opened);
  if (!isSigned && form.isResponseSigned && !form.isAssertionSigned) return opened;
  const response = `<samlp:Response xmlns:samlp="${ns.protocol}" ID="_opened" Version="2.0">${opened}</samlp:Response>`;
  const within = { ...form, isResponseSigned: false, isAssertionSigned: true };
  return signedAssertion(Buffer.from(response, 'utf8'), { ...checked, form: within });
}

/** With the key that opens it: while they are changed, that may be any. Whatever fails, fails alike. */
async function decrypted(text: string, keys: readonly string[]): Promise<string> {
  const encrypted = allNamed(parseXmlText(text), 'EncryptedAssertion').map(writeXml).join('');
  for (const key of keys) {
    // The algorithms are those that checkEncryption takes.
    const options = { key, disallowDecryptionWithInsecureAlgorithm: false, warnInsecureAlgorithm: false };
    const opened = await decrypt(encrypted, options).catch(() => null);
    if (opened !== null) return opened;
  }
  throw new StepError('saml_encryption');
}

const decrypt = (text: string, options: DecryptOptions): Promise<string> =>
  new Promise((resolve, reject) => {
    xmlEncryption.decrypt(text, options, (error, result) => (error ? reject(error) : resolve(result)));
  });
