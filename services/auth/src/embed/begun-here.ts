// By which a sign-in comes back to the browser that has begun it, and is of use to no other: what came of it goes to the
// page only where this cookie is the one that it began with.
import { createHash, randomBytes } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { isSameText } from '../same-text.ts';

const lastsSeconds = 3_600;
const secretForm = /^[\w-]{43}$/;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');

export type BegunHere = ReturnType<typeof createBegunHere>;

export function createBegunHere({ issuer }: { issuer: string }) {
  const isSecure = issuer.startsWith('https:');
  const name = isSecure ? '__Host-reeve_embed_begun' : 'reeve_embed_begun';
  // Pages of other sites begin as well.
  const attributes = isSecure ? 'Path=/; HttpOnly; Secure; SameSite=None' : 'Path=/; HttpOnly; SameSite=Lax';

  const secretOf = (request: Request): string | null => {
    const secret = parseCookie(request.headers.cookie ?? '')[name];
    return secret !== undefined && secretForm.test(secret) ? secret : null;
  };

  return {
    /** What names this browser from now on: several windows have one name. */
    mark(request: Request, response: Response): string {
      const secret = secretOf(request) ?? randomBytes(32).toString('base64url');
      response.append('Set-Cookie', `${name}=${secret}; Max-Age=${lastsSeconds}; ${attributes}`);
      return hashOf(secret);
    },

    isMarked(request: Request, mark: string): boolean {
      const secret = secretOf(request);
      return secret !== null && isSameText(hashOf(secret), mark);
    },
  };
}
