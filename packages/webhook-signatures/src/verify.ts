// Verifying and signing, over the exact bytes.
import { createHash, createHmac, sign as signBytes, timingSafeEqual, verify as verifyBytes } from 'node:crypto';
import { keyOf, type SigningKey } from './keys.ts';
import type { Claim, HeaderOnce, SchemeName, SignatureSettings } from './scheme.ts';
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
  /** Every key that is live. Those of another kind than a signature's are not tried on it. */
  keys: readonly SigningKey[];
  now: Date;
  /** Seconds that a signed timestamp may lie back or ahead. Schemes without one leave it unused. */
  toleranceSeconds: number;
};

/** Every signature is compared with every key in constant time; the time is judged only for what was really signed. */
export function verify({ scheme, settings, header, body, keys, now, toleranceSeconds }: Verification): Verdict {
  const definition = schemeOf(scheme, settings);
  const claim = definition.read(header);
  if (!claim) return { verdict: 'malformed' };
  let matched = -1;
  for (const [index, key] of keys.entries()) {
    if (matches(claim, key, { body, digest: definition.digest }) && matched < 0) matched = index;
  }
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

function matches(claim: Claim, key: SigningKey, { body, digest }: { body: Uint8Array; digest: string }): boolean {
  const candidates = claim.candidates.filter(candidate => candidate.kind === key.kind);
  if (candidates.length === 0) return false;
  if (key.kind === 'ed25519') {
    const signed = Buffer.concat([Buffer.from(claim.before), body, Buffer.from(claim.after)]);
    return candidates.some(({ bytes }) => bytes.length === 64 && verifyBytes(null, signed, key.key, bytes));
  }
  const expected = createHmac(digest, key.key).update(claim.before).update(body).update(claim.after).digest();
  let matched = false;
  for (const { bytes } of candidates)
    matched = (bytes.length === expected.length && timingSafeEqual(bytes, expected)) || matched;
  return matched;
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
