// For formats that are lines of text: nothing that a person or a partner chose may end a line, whichever characters a reader takes for its end.
import { canonicalJson } from '../record.ts';

const controls = /[\p{Cc}\u2028\u2029\ufeff]+/gu;
const jsonControls = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

export const oneLine = (text: string): string => text.replace(controls, ' ');

/** The same JSON, with what RFC 8785 leaves as it is but a reader of lines may stumble over written as escapes. */
export const oneLineJson = (json: string): string =>
  json.replace(jsonControls, found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** What was hashed, from what `oneLineJson` made of it; a JWS, which stands in its place in a statement, as it is. */
export const canonicalOf = (raw: string): string => (raw.startsWith('{') ? canonicalJson(JSON.parse(raw)) : raw);
