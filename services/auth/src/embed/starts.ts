// How often a browser has begun to sign in for a page of late: a page that begins again whenever somebody comes back
// would send them round for ever. In a cookie, which also shows whether the browser keeps any.
import { ProblemError } from '@reeve/contracts';
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import type { Seal } from '../seal.ts';

type Starts = { at: number[] };

const spanMs = 60_000;
const mostInSpan = 6;

/** Kept apart by the page that we are framed in, where we are: no other page's frame sees it. */
export function createStarts({ issuer, seal, now }: { issuer: string; seal: Seal<Starts>; now: () => number }) {
  const isSecure = issuer.startsWith('https:');
  const name = isSecure ? '__Host-reeve_embed' : 'reeve_embed';
  const attributes = isSecure
    ? 'Path=/; HttpOnly; Secure; SameSite=None; Partitioned'
    : 'Path=/; HttpOnly; SameSite=Lax';

  return {
    /** False where the browser has to come once more, with what it got now. Throws `redirect_loop`, `cookies_blocked`. */
    count(request: Request, response: Response, { isSecond }: { isSecond: boolean }): boolean {
      const kept = parseCookie(request.headers.cookie ?? '')[name];
      if (kept === undefined && isSecond) throw new ProblemError('cookies_blocked');
      const before = (seal.open(kept)?.at ?? []).filter(at => at > now() - spanMs);
      const at = kept === undefined ? [] : [...before, now()].slice(-mostInSpan - 1);
      response.append('Set-Cookie', `${name}=${seal.seal({ at })}; Max-Age=${spanMs / 1_000}; ${attributes}`);
      if (at.length > mostInSpan) throw new ProblemError('redirect_loop');
      return kept !== undefined;
    },
  };
}
