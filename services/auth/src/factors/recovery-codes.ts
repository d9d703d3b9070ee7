// Codes on paper, for whoever has lost their other factors. Each has 80 random bits, which nobody tries out: so what is
// kept is one round of SHA-256, and no slow hash, and no limit of attempts has to lock their owner out.
import { createHash, randomBytes } from 'node:crypto';

const howMany = 10;
const bytes = 10;
/** Crockford's: no letter in it looks like another, or like a digit. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/** Four groups of four. */
function newCode(): string {
  const bits = BigInt(`0x${randomBytes(bytes).toString('hex')}`);
  const letters = Array.from({ length: 16 }, (_, at) => alphabet[Number((bits >> BigInt(at * 5)) & 31n)]);
  return letters.join('').replaceAll(/(.{4})(?!$)/g, '$1-');
}

/** As it was meant: in whichever case, with whichever spaces, and with letters for the digits that they look like. */
const meant = (code: string): string =>
  code.toLowerCase().replaceAll(/[\s-]/g, '').replaceAll('o', '0').replaceAll(/[il]/g, '1');

/** Of one person alone. */
export const hashOfRecoveryCode = (userId: string, code: string): string =>
  createHash('sha256')
    .update(`${userId}\n${meant(code)}`)
    .digest('base64url');

export const newRecoveryCodes = (): string[] => Array.from({ length: howMany }, newCode);
