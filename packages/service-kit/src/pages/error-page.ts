// The page of a failure: what it means, what to do, the code, a reference and a way back. Nothing of its detail, which
// is in English and for whoever writes programs.
import type { ProblemCode, ProblemError } from '@reeve/contracts';
import type { Words } from './document.ts';
import { html } from './html.ts';
import { type InEach, type Language, say } from './language.ts';
import type { Reader } from './reader.ts';
import * as de from './texts/de.ts';
import type { Errors, Frame, Occasion } from './texts/en.ts';
import * as en from './texts/en.ts';
import * as es from './texts/es.ts';
import * as fr from './texts/fr.ts';
import * as ja from './texts/ja.ts';

export const errorTexts: InEach<{ frame: Frame; errors: Errors }> = { en, de, fr, es, ja };

/** What a code can mean to a person, where it means several things (`meaning` of ProblemError). */
export type Meaning<C extends ProblemCode, O = Occasion> = O extends `${C}.${infer M}` ? M : never;

/** Codes that are one and the same to somebody who looks at a page. */
const alike: Partial<Record<ProblemCode, Occasion>> = {
  body_malformed: 'unreadable',
  body_missing: 'unreadable',
  body_too_large: 'unreadable',
  content_type_unsupported: 'unreadable',
  input_invalid: 'unreadable',
  method_not_allowed: 'unreadable',
};

/** After these the same page, opened anew, may do. */
const helpedByOpening: readonly ProblemCode[] = ['csrf_mismatch', 'conflict', 'scope_unknown', 'consent_expired'];

const usualWaitSeconds = 60;

type Told = {
  language: Language;
  reference: string;
  /** Of the page whose form it was; null where no form was sent. */
  path: string | null;
  back: Reader['back'];
};

export function errorPage(problem: ProblemError, { language, reference, path, back }: Told): Words {
  const { code, meaning: which, retryAfterSeconds: seconds = usualWaitSeconds } = problem;
  const { frame, errors } = errorTexts[language];
  const [title = '', meaning = '', action = ''] = errors[occasionOf(problem)].map(text =>
    say(language, text, { seconds }),
  );
  const toPage = path !== null && helpedByOpening.includes(code) ? { href: path, text: frame.reload } : null;
  const link = back ? { href: back.href, text: say(language, frame.back, { name: back.name }) } : toPage;
  const shownCode = which === undefined ? code : `${code} (${which})`;
  return failure({ title, meaning, action, code: shownCode, reference }, { language, link });
}

type Failure = { title: string; meaning: string; action: string; code: string; reference: string };

/** What pages of failures have in common. */
export function failure(
  { title, meaning, action, code, reference }: Failure,
  { language, link = null }: { language: Language; link?: { href: string; text: string } | null },
): Words {
  const { frame } = errorTexts[language];
  const content = html`<p class="error" role="alert">${meaning}</p><p>${action}</p>
${link && html`<p><a class="button primary" href="${link.href}">${link.text}</a></p>`}
<p class="for-help">${frame.forHelp}</p>
<dl><dt>${frame.reference}</dt><dd><code>${reference}</code></dd>
<dt>${frame.code}</dt><dd class="muted">${code}</dd></dl>`;
  return { title, content };
}

export function occasionOf({ code, meaning }: Pick<ProblemError, 'code' | 'meaning'>): Occasion {
  const { errors } = errorTexts.en;
  const isOccasion = (name: string): name is Occasion => Object.hasOwn(errors, name);
  const narrow = `${code}.${meaning ?? ''}`;
  if (isOccasion(narrow)) return narrow;
  return alike[code] ?? (isOccasion(code) ? code : 'other');
}
