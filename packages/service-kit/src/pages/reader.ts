// Who reads the pages of an answer: in which language, of which tenant, and where they can go back to. The handler says
// what it knows; it is asked for only when there is a page to show, since most answers are redirects.
import type { Request, Response } from 'express';
import type { Brand } from './document.ts';
import { type Language, languageFor } from './language.ts';

export type Reader = {
  /** Languages as the application names them (`ui_locales`): they count before those of the browser. */
  uiLocales?: string | null;
  /** Of the tenant, where it is known for sure, and by nothing that the person has typed. */
  brand?: Brand | null;
  /** Where an error leads back to. */
  back?: { href: string; name: string } | null;
};

const key = 'reader';

/** Of the pages of this answer, errors among them. */
export function pagesAreFor(response: Response, read: () => Promise<Reader>): void {
  response.locals[key] = read;
}

/** Never rejects: whatever is wrong, a page that says so has to come out, if without its tenant's name. */
export async function readerOf(response: Response): Promise<Required<Reader> & { language: Language }> {
  const read = response.locals[key] as (() => Promise<Reader>) | undefined;
  const { uiLocales = null, brand = null, back = null }: Reader = (await read?.().catch(() => null)) ?? {};
  const asked = uiLocales === null ? [] : uiLocales.split(' ');
  return { uiLocales, brand, back, language: languageFor([...asked, ...acceptedBy(response.req)]) };
}

const acceptedBy = (request: Request | undefined): string[] => request?.acceptsLanguages() ?? [];
