// For formats that are lines of text: nothing that a person or a partner chose may end a line, whichever characters a
// reader takes for its end.
import { JsonError } from '@reeve/contracts';

const controls = /[\p{Cc}\u2028\u2029\ufeff]+/gu;
const jsonControls = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

export const oneLine = (text: string): string => text.replace(controls, ' ');

/** The same JSON, with what RFC 8785 leaves as it is but a reader of lines may stumble over written as escapes. */
export const oneLineJson = (json: string): string =>
  json.replace(jsonControls, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

const escapes = /\\(?:u(007f|00[89][0-9a-f]|2028|2029|feff)|.)/g;

/** What was hashed, from what `oneLineJson` made of it; a JWS, which stands in its place in a statement, as it is. */
export function canonicalOf(raw: string): string {
  if (!raw.startsWith('{')) return raw;
  const json = raw.replace(escapes, (escape, code?: string) =>
    code === undefined ? escape : String.fromCharCode(Number.parseInt(code, 16)),
  );
  if (oneLineJson(json) !== raw) throw new JsonError('the record is not written on one line as Reeve does it');
  return json;
}
