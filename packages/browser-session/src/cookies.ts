// The cookies of a browser session: which session it is, and in which browser a sign-in began.
import { parseCookie } from 'cookie';
import type { CookieOptions, Request, Response } from 'express';

export type Cookies = ReturnType<typeof createCookies>;

/**
 * Behind TLS they are of this host alone, whatever another host of the same domain sets (`__Host-`, RFC 6265bis
 * §4.1.3.2).
 */
export function createCookies(name: string, selfUrl: string) {
  const secure = selfUrl.startsWith('https:');
  // Lax: a consent page is opened from a mail, and the issuer sends people back.
  const options: CookieOptions = { httpOnly: true, secure, sameSite: 'lax', path: '/' };

  function cookie(suffix: string, maxAge: number) {
    const fullName = `${secure ? '__Host-' : ''}${name}${suffix}`;
    return {
      read(request: Request): string | null {
        const value = parseCookie(request.get('Cookie') ?? '')[fullName];
        return value !== undefined && /^[\w-]{43}$/.test(value) ? value : null;
      },
      set: (response: Response, value: string): unknown => response.cookie(fullName, value, { ...options, maxAge }),
    };
  }

  return { session: cookie('', sessionMs), signIn: cookie('_sign_in', signInMs) };
}

/** How long somebody is signed in here before the issuer is asked again; and how long a sign-in may take. */
export const sessionMs = 3_600_000;
export const signInMs = 600_000;
