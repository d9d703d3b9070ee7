// One-time codes by time (RFC 6238), with what authenticator applications take without being asked: SHA-1, six digits,
// thirty seconds.
import { Secret, TOTP } from 'otpauth';
import { renderSVG } from 'uqr';

const periodSeconds = 30;
/** Steps before and after the present one: clocks of telephones differ, and people type slowly (RFC 6238 §5.2). */
const stepsAround = 1;
/** RFC 4226 §4: 160 bits. */
const secretBytes = 20;

export const newTotpSecret = (): string => new Secret({ size: secretBytes }).base32;

const totpOf = (secret: string, labels: { issuer?: string; label?: string } = {}) =>
  new TOTP({ ...labels, secret: Secret.fromBase32(secret), period: periodSeconds });

/** The time step whose code it is; null for a code of none that counts now. */
export function stepOfCode(secret: string, code: string, now: Date): number | null {
  const token = code.replaceAll(/\s/g, '');
  if (!/^\d{6}$/.test(token)) return null;
  const delta = totpOf(secret).validate({ token, timestamp: now.getTime(), window: stepsAround });
  return delta === null ? null : Math.floor(now.getTime() / 1_000 / periodSeconds) + delta;
}

/** What an authenticator application reads, as a URI and as the picture of it. */
export function totpUri(secret: string, { product, person }: { product: string; person: string }): string {
  return totpOf(secret, { issuer: product, label: person }).toString();
}

export const pictureOf = (uri: string): string => renderSVG(uri, { border: 4, pixelSize: 4 });
