// What comes from a page of this application, and what leads to one: against requests that another site has a browser
// make, and against links that look like ours and lead elsewhere.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ReeveError } from '../errors.ts';

const longestPath = 2_048;

/** The address to go to; the root of this application for whatever is none of its pages. */
export function pageOf(origin: string, asked: string | null): string {
  // A browser takes `\` for `/`, and leaves out tabs and ends of lines.
  const isPath = asked !== null && asked.length <= longestPath && /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(asked);
  const page = isPath ? URL.parse(asked, origin) : null;
  return page?.origin === origin ? page.href : `${origin}/`;
}

export const changesSomething = (method: string | undefined): boolean =>
  !['GET', 'HEAD', 'OPTIONS'].includes(method ?? '');

/**
 * Three things that another site cannot bring about together: the browser says that the request comes from here
 * (`Sec-Fetch-Site`, where it knows that, and `Origin`), and it holds the value that only our pages can read. Throws
 * `csrf_refused`.
 */
export function assertFromOwnPage(
  request: IncomingMessage,
  { origin, expected, token }: { origin: string; expected: string; token: string | undefined },
): void {
  const { 'sec-fetch-site': site, origin: from } = request.headers;
  if (site !== undefined && site !== 'same-origin') throw new ReeveError('csrf_refused', 'it is of another site');
  if (from !== undefined && from !== origin) throw new ReeveError('csrf_refused', 'it is of another origin');
  const [given, wanted] = [Buffer.from(token ?? ''), Buffer.from(expected)];
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
    throw new ReeveError('csrf_refused', 'it does not bring the value of the session');
}
