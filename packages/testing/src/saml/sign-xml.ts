// Signs one element of a message as SAML does (SAML core §5): enveloped, by its ID, the signature after the issuer.
// What an honest signer would not do can be asked for too.
import { createSign, createVerify, type KeyLike } from 'node:crypto';
import { type SignatureAlgorithm, SignedXml } from 'xml-crypto';
import type { SamlKey } from './keys.ts';
import { digestMethods, signatureMethods, transforms } from './names.ts';
import { allOf, childrenOf, parseXml } from './xml.ts';

export type Signing = {
  key: SamlKey;
  method?: string;
  digest?: string;
  transforms?: readonly string[];
  /** The certificate in KeyInfo; null leaves KeyInfo out. Left out, it is that of the key. */
  keyInfo?: string | null;
  /** What is signed, as XPath; each becomes a Reference. Left out, the element itself. */
  references?: readonly string[];
  /** Writes `URI=""` instead of the ID: the whole document. */
  emptyUri?: boolean;
};

// The library takes classes for algorithms that it does not have.
class EcdsaSha256 implements SignatureAlgorithm {
  getAlgorithmName = () => signatureMethods.ecdsaSha256;
  getSignature = (signed: unknown, key: unknown) =>
    createSign('sha256')
      .update(signed as string)
      .sign({ key: key as string, dsaEncoding: 'ieee-p1363' }, 'base64');
  verifySignature = (signed: string, key: KeyLike, value: string) =>
    createVerify('sha256')
      .update(signed)
      .verify({ key: key as string, dsaEncoding: 'ieee-p1363' }, value, 'base64');
}

// A transform that changes nothing under the name of one that could change everything. A verifier that skips
// transforms which it does not know finds the digest right.
function unchangedAs(name: string) {
  return class {
    getAlgorithmName = () => name;
    process = (node: Node) => node;
  };
}

function teachAlgorithms(library: SignedXml): void {
  library.SignatureAlgorithms[signatureMethods.ecdsaSha256] = EcdsaSha256;
  for (const name of [transforms.xslt, transforms.xpath])
    library.CanonicalizationAlgorithms[name] = unchangedAs(name) as never;
}

/** The message with a signature over the element whose ID is `id`. */
export function signElement(xml: string, id: string, signing: Signing): string {
  const { key, method = signatureMethods.rsaSha256, digest = digestMethods.sha256, emptyUri = false } = signing;
  const target = `//*[@ID='${id}']`;
  const signer = new SignedXml({
    signatureAlgorithm: method,
    canonicalizationAlgorithm: transforms.exclusive,
    privateKey: key.privateKey,
    ...(signing.keyInfo === null ? {} : { publicCert: signing.keyInfo ?? key.certificate }),
  });
  if (method === signatureMethods.hmacSha1) signer.enableHMAC();
  else teachAlgorithms(signer);
  for (const xpath of signing.references ?? [target])
    signer.addReference({
      xpath,
      transforms: [...(signing.transforms ?? [transforms.enveloped, transforms.exclusive])],
      digestAlgorithm: digest,
      ...(emptyUri ? { uri: '', isEmptyUri: true } : {}),
    });
  signer.computeSignature(xml, { prefix: 'ds', location: placeIn(xml, id) });
  return signer.getSignedXml();
}

function placeIn(xml: string, id: string) {
  const target = `//*[@ID='${id}']`;
  const found = Array.from(parseXml(xml).getElementsByTagName('*')).find(each => each.getAttribute('ID') === id);
  if (!found) throw new Error(`there is no element with the ID ${id}`);
  return childrenOf(found, 'Issuer').length > 0
    ? { reference: `${target}/*[local-name(.)='Issuer']`, action: 'after' as const }
    : { reference: target, action: 'prepend' as const };
}

/** Whether `signature` is one by the key of `certificate` over exactly the element that it stands in. */
export function signatureHolds(xml: string, signature: Element, certificate: string): boolean {
  const id = (signature.parentNode as Element).getAttribute('ID');
  const [reference, ...others] = allOf(signature, 'Reference');
  const isOverItsOwn = reference?.getAttribute('URI') === `#${id}` && others.length === 0;
  return isOverItsOwn && signatureVerifies(xml, signature, certificate);
}

/** Whether it is one by that key, over whatever it refers to. */
export function signatureVerifies(xml: string, signature: Element, certificate: string): boolean {
  const verifier = new SignedXml({ publicCert: certificate });
  teachAlgorithms(verifier);
  try {
    verifier.loadSignature(signature);
    return verifier.checkSignature(xml);
  } catch {
    return false;
  }
}
