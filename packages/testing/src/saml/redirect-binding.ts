// HTTP-Redirect (SAML bindings §3.4): a message deflated into a query, and signed over the octets of that query.
import { createSign, createVerify } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { SamlKey } from './keys.ts';
import { signatureMethods } from './names.ts';

export type MessageName = 'SAMLRequest' | 'SAMLResponse';

const hashes: Record<string, string> = {
  [signatureMethods.rsaSha1]: 'sha1',
  [signatureMethods.rsaSha256]: 'sha256',
  [signatureMethods.rsaSha512]: 'sha512',
  [signatureMethods.ecdsaSha256]: 'sha256',
};

const signable = ['SAMLRequest', 'SAMLResponse', 'RelayState', 'SigAlg'];

const deflated = (xml: string) => deflateRawSync(Buffer.from(xml, 'utf8')).toString('base64');

// What an honest peer sends is small; this one reads from whoever tests it.
export const inflated = (value: string) =>
  inflateRawSync(Buffer.from(value, 'base64'), { maxOutputLength: 1_000_000 }).toString('utf8');

/** Where the browser is sent; without a key the message is not signed. */
export function redirectUrl(
  destination: string,
  message: { name: MessageName; xml: string; relayState?: string | undefined },
  signing: { key: SamlKey; method?: string } | null,
): string {
  const { name, xml, relayState } = message;
  const query = [`${name}=${encodeURIComponent(deflated(xml))}`];
  if (relayState !== undefined) query.push(`RelayState=${encodeURIComponent(relayState)}`);
  if (signing !== null) {
    const { key, method = signatureMethods.rsaSha256 } = signing;
    query.push(`SigAlg=${encodeURIComponent(method)}`);
    const value = createSign(hashes[method] ?? 'sha256')
      .update(query.join('&'))
      .sign(key.privateKey, 'base64');
    query.push(`Signature=${encodeURIComponent(value)}`);
  }
  return `${destination}${destination.includes('?') ? '&' : '?'}${query.join('&')}`;
}

/** Whether the query, as it came (a server must not encode it anew), is signed by the key of `certificate`. */
export function querySignatureHolds(rawQuery: string, certificate: string): boolean {
  const given = new Map(rawQuery.split('&').map(pair => [pair.split('=', 1)[0] ?? '', pair]));
  const signed = signable.flatMap(name => given.get(name) ?? []).join('&');
  const parameters = new URLSearchParams(rawQuery);
  const hash = hashes[parameters.get('SigAlg') ?? ''];
  const value = parameters.get('Signature');
  if (hash === undefined || value === null) return false;
  try {
    return createVerify(hash).update(signed).verify(certificate, value, 'base64');
  } catch {
    return false;
  }
}
