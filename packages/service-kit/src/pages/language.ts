// In which language somebody reads a page, and messages in it. The messages are ICU's (plurals, choices); catalogues
// are plain objects whose type is that of the English one, so that none lacks a text.
import { match } from '@formatjs/intl-localematcher';
import { IntlMessageFormat } from 'intl-messageformat';

export const languages = ['en', 'de', 'fr', 'es', 'ja'] as const;
export type Language = (typeof languages)[number];

/** Texts by language, of which each has the same. */
export type InEach<T> = Readonly<Record<Language, T>>;

/** Which way each is written. */
export const directions: InEach<'ltr' | 'rtl'> = { en: 'ltr', de: 'ltr', fr: 'ltr', es: 'ltr', ja: 'ltr' };

/** Somebody may ask for thousands, or for a tag that is a page long (RFC 5646 §4.4.1 has 35 characters at most). */
const mostWanted = 20;
const longestTag = 35;

/** The first that we have (RFC 4647 §3.4, lookup) of those that are wanted, the dearest first; English otherwise. */
export function languageFor(wanted: readonly string[]): Language {
  const tags = wanted.slice(0, mostWanted).flatMap(canonical);
  return match(tags, languages, 'en', { algorithm: 'lookup' }) as Language;
}

/** Nothing for what is no language tag, `*` among them. */
function canonical(tag: string): string[] {
  if (tag.length > longestTag) return [];
  try {
    return Intl.getCanonicalLocales(tag);
  } catch {
    return [];
  }
}

/** Of all catalogues: bounded, since nobody but us writes messages. */
const compiled = new Map<string, IntlMessageFormat>();

/** A message of a catalogue, as text: it is still to be escaped. Throws where a value is missing. */
export function say(language: Language, message: string, values: Record<string, string | number> = {}): string {
  const key = `${language} ${message}`;
  const format = compiled.get(key) ?? new IntlMessageFormat(message, language, undefined, { ignoreTag: true });
  compiled.set(key, format);
  return String(format.format(values));
}
