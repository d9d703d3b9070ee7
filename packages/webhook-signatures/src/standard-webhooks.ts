// Standard Webhooks, scheme v1 (HMAC-SHA256): https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// Works on the exact bytes received. The reference library is not used: it parses the timestamp with parseInt, so that
// `1614265330abc` passes, and turns the body into text, so that bytes that are not UTF-8 change.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export type SignedHeaders = { id: string; timestamp: string; signature: string };
export type Verdict = 'valid' | 'malformed' | 'signature' | 'too_old' | 'too_new';

export type VerifyInput = {
  headers: SignedHeaders;
  body: Uint8Array;
  /** Every secret that is live, in the form `whsec_<base64>`. */
  secrets: readonly string[];
  now: Date;
  toleranceSeconds: number;
};

const prefix = 'whsec_';
const minimalKeyBytes = 24;
const macBytes = 32;

export function newStandardSecret(): string {
  return prefix + randomBytes(32).toString('base64');
}

function keyOf(secret: string): Buffer {
  const key = Buffer.from(secret.startsWith(prefix) ? secret.slice(prefix.length) : secret, 'base64');
  if (key.length < minimalKeyBytes) throw new TypeError(`a secret holds at least ${minimalKeyBytes} bytes`);
  return key;
}

function macOf(secret: string, { id, timestamp }: { id: string; timestamp: string }, body: Uint8Array): Buffer {
  return createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.`).update(body).digest();
}

/** The value of `webhook-signature` for one secret. */
export function signStandard(
  secret: string,
  { id, timestamp }: { id: string; timestamp: string },
  body: Uint8Array,
): string {
  return `v1,${macOf(secret, { id, timestamp }, body).toString('base64')}`;
}

/** Every listed signature is compared with every secret in constant time; the time is judged only for what was really signed. */
export function verifyStandard({ headers, body, secrets, now, toleranceSeconds }: VerifyInput): Verdict {
  const { id, timestamp, signature } = headers;
  if (!/^[\x21-\x7e]{1,256}$/.test(id) || id.includes('.') || !/^[0-9]{1,12}$/.test(timestamp) || signature === '')
    return 'malformed';
  const candidates = signature
    .split(' ')
    .slice(0, 16)
    .filter(part => part.startsWith('v1,'))
    .map(part => part.slice(3))
    .filter(text => /^[A-Za-z0-9+/]{43}=$/.test(text))
    .map(text => Buffer.from(text, 'base64'))
    .filter(mac => mac.length === macBytes);
  let matched = false;
  for (const secret of secrets) {
    const expected = macOf(secret, { id, timestamp }, body);
    for (const candidate of candidates) matched = timingSafeEqual(candidate, expected) || matched;
  }
  if (!matched) return 'signature';
  const ageSeconds = now.getTime() / 1000 - Number(timestamp);
  if (ageSeconds > toleranceSeconds) return 'too_old';
  if (ageSeconds < -toleranceSeconds) return 'too_new';
  return 'valid';
}
