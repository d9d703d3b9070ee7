// Verifying and signing, over the exact bytes.
import { createHash, createHmac, sign as signBytes, timingSafeEqual, verify as verifyBytes } from 'node:crypto';
import { keyOf, type SigningKey } from './keys.ts';
import type { Claim, HeaderOnce, Scheme, SchemeName, SignatureSettings } from './scheme.ts';
import { schemeOf } from './schemes.ts';

export type Refusal = 'malformed' | 'signature' | 'too_old' | 'too_new';

export type Verdict =
  /** `key` is the position of the secret that matched; `signedBytesSha256` names what was signed, in hex. */
  { verdict: 'valid'; key: number; signedBytesSha256: () => string } | { verdict: Refusal };

export type Verification = {
  scheme: SchemeName;
  settings: SignatureSettings | null;
  header: HeaderOnce;
  body: Uint8Array;
  /** Every key that is live, newest first. Those of another kind than a signature's are not tried on it. */
  keys: readonly SigningKey[];
  now: Date;
  /** Seconds that a signed timestamp may lie back or ahead. Schemes without one leave it unused. */
  toleranceSeconds: number;
};

type Bytes = Pick<Verification, 'body'> & Pick<Scheme, 'digest'>;

/**
 * With Ed25519 each takes the whole body, for somebody who is not known yet. So many are enough for two signatures, as
 * Standard Webhooks sends while a key is replaced, and five keys.
 */
const mostVerifications = 10;

/** MACs are compared in constant time; the time is judged only for what was really signed. */
export function verify({ scheme, settings, header, body, keys, now, toleranceSeconds }: Verification): Verdict {
  const definition = schemeOf(scheme, settings);
  const claim = definition.read(header);
  if (!claim) return { verdict: 'malformed' };
  const bytes = { body, digest: definition.digest };
  const matched = Math.max(keyOfMac(claim, keys, bytes), keyOfSignature(claim, keys, bytes));
  if (matched < 0) return { verdict: 'signature' };
  if (claim.timestamp !== null) {
    // In whole seconds, as timestamps are: 300 is within a tolerance of 300 for all of its second.
    const ageSeconds = Math.floor(now.getTime() / 1_000) - Math.floor(claim.timestamp);
    if (ageSeconds > toleranceSeconds) return { verdict: 'too_old' };
    if (ageSeconds < -toleranceSeconds) return { verdict: 'too_new' };
  }
  const signedBytesSha256 = () =>
    createHash('sha256').update(claim.before).update(body).update(claim.after).digest('hex');
  return { verdict: 'valid', key: matched, signedBytesSha256 };
}

/** The position of a key that made one of the MACs, or -1. One MAC for each key, and every one is compared. */
function keyOfMac({ candidates, before, after }: Claim, keys: readonly SigningKey[], { body, digest }: Bytes): number {
  const macs = candidates.filter(({ kind }) => kind === 'hmac');
  if (macs.length === 0) return -1;
  const isMadeWith = keys.map(one => {
    if (one.kind !== 'hmac') return false;
    const expected = createHmac(digest, one.key).update(before).update(body).update(after).digest();
    const equal = macs.filter(({ bytes }) => bytes.length === expected.length && timingSafeEqual(bytes, expected));
    return equal.length > 0;
  });
  return isMadeWith.indexOf(true);
}

/** The position of a key that made one of the signatures, or -1. */
function keyOfSignature({ candidates, before, after }: Claim, keys: readonly SigningKey[], { body }: Bytes): number {
  const signatures = candidates.filter(({ kind, bytes }) => kind === 'ed25519' && bytes.length === 64);
  const pairs = keys
    .flatMap((one, index) => (one.kind === 'ed25519' ? signatures.map(({ bytes }) => ({ one, index, bytes })) : []))
    .slice(0, mostVerifications);
  if (pairs.length === 0) return -1;
  const signed = Buffer.concat([Buffer.from(before), body, Buffer.from(after)]);
  return pairs.find(({ one, bytes }) => verifyBytes(null, signed, one.key, bytes))?.index ?? -1;
}

export type Signing = {
  scheme: SchemeName;
  settings: SignatureSettings | null;
  secret: string;
  id: string;
  /** Unix seconds. */
  timestamp: number;
  body: Uint8Array;
};

/** The headers of a request that is signed as the scheme wants it, without Content-Type. Throws SecretFormError. */
export function sign({ scheme, settings, secret, id, timestamp, body }: Signing): Record<string, string> {
  const definition = schemeOf(scheme, settings);
  const { kind, key } = keyOf(scheme, secret, { use: 'sign', settings });
  const { before, after } = definition.around({ id, timestamp });
  const signature =
    kind === 'ed25519'
      ? signBytes(null, Buffer.concat([Buffer.from(before), body, Buffer.from(after)]), key)
      : createHmac(definition.digest, key).update(before).update(body).update(after).digest();
  return definition.write({ id, timestamp, signature, kind });
}
