// What the pages of this service say, in each language. What errors say is the kit's.
import { type InEach, type Language, say } from '@reeve/service-kit';
import { de } from './de.ts';
import { en, type PageTexts } from './en.ts';
import { es } from './es.ts';
import { fr } from './fr.ts';
import { ja } from './ja.ts';

export const pageTexts: InEach<PageTexts> = { en, de, fr, es, ja };

/** The texts of a language, by name. */
export const textsIn =
  (language: Language) =>
  (name: keyof PageTexts, values: Record<string, string | number> = {}): string =>
    say(language, pageTexts[language][name], values);
