// The cookies of an application: which session it is, and in which browser a sign-in began.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { parseCookie, stringifySetCookie } from 'cookie';
import { isSecret } from './sealing.ts';

/**
 * Behind TLS they are of this host alone, whatever another host of the same domain sets (`__Host-`, RFC 6265bis
 * §4.1.3.2). Lax, since the issuer sends people back from its own site.
 */
export function createCookie(name: string, { secure, seconds }: { secure: boolean; seconds: number }) {
  const fullName = `${secure ? '__Host-' : ''}${name}`;
  const options = { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const;
  const set = (response: ServerResponse, value: string, maxAge: number) =>
    response.appendHeader('set-cookie', stringifySetCookie({ name: fullName, value, ...options, maxAge }));
  return {
    /** Null for what is none of ours. */
    read(request: IncomingMessage): string | null {
      const value = parseCookie(request.headers.cookie ?? '')[fullName];
      return isSecret(value) ? value : null;
    },
    write: (response: ServerResponse, value: string): unknown => set(response, value, seconds),
    clear: (response: ServerResponse): unknown => set(response, '', 0),
  };
}
