// By whom a signature is, and the text of an element that its own signature covers.
import { SignedXml } from 'xml-crypto';
import { ns } from './names.ts';
import { childNamed, type XmlElement } from './xml.ts';

/** The library's own way to the bytes that are signed, which it offers to nobody: another one would differ. */
type Within = {
  signatureAlgorithm: string | undefined;
  signatureValue: string;
  getCanonSignedInfoXml(document: globalThis.Document): string;
  findSignatureAlgorithm(name: string | undefined): {
    verifySignature(bytes: string, pem: string, value: string): boolean;
  };
};

/**
 * Those of the certificates (PEM) by whose key a signature was made, as far as it says itself: what it covers is not
 * looked at. That costs little, whereas everything that is signed is written anew for each certificate that is tried,
 * and whoever posts a message decides how much that is.
 */
export function signersOf(signature: XmlElement, certificates: readonly string[]): string[] {
  const signed = new SignedXml({ getCertFromKeyInfo: () => null });
  signed.loadSignature(signature as never);
  const within = signed as unknown as Within;
  try {
    const bytes = within.getCanonSignedInfoXml(signature.ownerDocument);
    const algorithm = within.findSignatureAlgorithm(within.signatureAlgorithm);
    return certificates.filter(pem => algorithm.verifySignature(bytes, pem, within.signatureValue));
  } catch {
    return [];
  }
}

/**
 * What of the document is signed by one of these certificates (PEM), which is all of `root`: whoever asks has checked
 * the form of the signature. Null where it is signed by none of them.
 */
export function signedText(text: string, root: XmlElement, certificates: readonly string[]): string | null {
  const signature = childNamed(root, ns.signature, 'Signature');
  if (!signature) return null;
  for (const publicCert of signersOf(signature, certificates)) {
    const signed = new SignedXml({ publicCert, getCertFromKeyInfo: () => null });
    signed.loadSignature(signature as never);
    try {
      if (signed.checkSignature(text)) return signed.getSignedReferences()[0] ?? null;
    } catch {
      // It covers something else.
    }
  }
  return null;
}
