// A person at a browser without JavaScript: keeps cookies, follows redirects, fills in forms. For demo and tests over
// real HTTP.
import { parse } from 'node-html-parser';
import { CookieJar } from 'tough-cookie';

export type Page = { url: URL; status: number; text: string; headers: Headers };
export type Fields = Record<string, string | string[]>;

const maxRedirects = 20;

export type Browser = ReturnType<typeof createBrowser>;

/** What stands in the elements of a page that a CSS selector names. */
export const textsIn = ({ text }: Page, selector: string): string[] =>
  parse(text)
    .querySelectorAll(selector)
    .map(element => element.text);

/** The page as if its one form were that which leads to a path ending so; null where it has none. */
export function formOf(page: Page, ending: string): Page | null {
  const form = parse(page.text)
    .querySelectorAll('form')
    .find(one => one.getAttribute('action')?.endsWith(ending));
  return form ? { ...page, text: form.outerHTML } : null;
}

export function createBrowser({ userAgent = 'Reeve demo browser' }: { userAgent?: string } = {}) {
  const jar = new CookieJar();
  const visited: string[] = [];

  async function load(
    target: URL,
    init: { method: string; body?: URLSearchParams; from?: string },
    stopAt: string | undefined,
  ): Promise<Page> {
    let url = target;
    let { method, body } = init;
    // As browsers say it of whatever is sent, and of nothing that is opened.
    const origin = init.from === undefined ? {} : { origin: init.from };
    for (let hop = 0; hop < maxRedirects; hop += 1) {
      visited.push(`${method} ${url.origin}${url.pathname}`);
      if (stopAt !== undefined && url.href.startsWith(stopAt))
        return { url, status: 0, text: '', headers: new Headers() };
      const cookie = await jar.getCookieString(url.href);
      const response = await fetch(url, {
        method,
        redirect: 'manual',
        headers: {
          'user-agent': userAgent,
          ...(cookie === '' ? {} : { cookie }),
          ...(body ? { ...origin, 'content-type': 'application/x-www-form-urlencoded' } : {}),
        },
        ...(body ? { body: body.toString() } : {}),
      });
      for (const set of response.headers.getSetCookie()) await jar.setCookie(set, url.href, { ignoreError: true });
      const location = response.headers.get('location');
      if (response.status < 300 || response.status >= 400 || location === null) {
        return { url, status: response.status, text: await response.text(), headers: response.headers };
      }
      await response.body?.cancel();
      url = new URL(location, url);
      method = 'GET';
      body = undefined as never;
    }
    throw new Error(`more than ${maxRedirects} redirects: ${visited.slice(-4).join(' → ')}`);
  }

  /** A page that a browser would submit by itself. */
  const submitsItself = ({ text }: Page) => text.includes('document.forms[0].submit()');

  async function arrive(page: Page, stopAt: string | undefined): Promise<Page> {
    return submitsItself(page) ? submit(page, {}, stopAt) : page;
  }

  async function submit(page: Page, fields: Fields, stopAt: string | undefined): Promise<Page> {
    const form = parse(page.text).querySelector('form');
    if (!form) throw new Error(`there is no form at ${page.url.href}: ${page.status} ${page.text.slice(0, 300)}`);
    const body = new URLSearchParams();
    for (const input of form.querySelectorAll('input[type=hidden]'))
      body.append(input.getAttribute('name') ?? '', input.getAttribute('value') ?? '');
    for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) body.append(name, one);
    const url = new URL(form.getAttribute('action') ?? page.url.href, page.url);
    if ((form.getAttribute('method') ?? 'get').toLowerCase() === 'post')
      return arrive(await load(url, { method: 'POST', body, from: page.url.origin }, stopAt), stopAt);
    url.search = body.toString();
    return arrive(await load(url, { method: 'GET' }, stopAt), stopAt);
  }

  return {
    /**
     * Opens an address. `stopAt` ends the way before an address that nobody listens at, such as an application's
     * callback.
     */
    open: async (url: string | URL, stopAt?: string) =>
      arrive(await load(new URL(url), { method: 'GET' }, stopAt), stopAt),

    /** Submits the form of a page: what it holds already, and what is filled in. */
    submit: (page: Page, fields: Fields, stopAt?: string) => submit(page, fields, stopAt),

    /** What was asked for, oldest first: method, origin and path. */
    visited,
    jar,
  };
}
