import { createHash, randomBytes } from 'node:crypto';

/** Of a verifier that nobody has (RFC 7636): for a code that is of no use. As good a hash for whatever else is asked. */
export const nobodysChallenge = (): string => createHash('sha256').update(randomBytes(32)).digest('base64url');
