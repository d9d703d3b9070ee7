import { JsonError } from '@reeve/contracts';
import { canonicalJson } from './record.ts';

/**
 * Throws a SyntaxError for what is no JSON, and a JsonError for what is not the canonical form (RFC 8785) of what it
 * says.
 */
export function parseCanonicalJson(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (!isPlainlyCanonical(json, value) && canonicalJson(value) !== json)
    throw new JsonError('it is not canonical JSON (RFC 8785)');
  return value;
}

/**
 * For most texts, at a fifth of the price. Names that are numbers change their order in JavaScript, and half a
 * surrogate pair has no canonical form.
 */
const isPlainlyCanonical = (json: string, value: unknown) =>
  JSON.stringify(value) === json && !json.includes('\\ud') && isInOrderIfObject(value);

/**
 * Whether the members of each object are in the order of their names, by UTF-16 code units. Not by its entries, which
 * takes four times as long.
 */
function isInOrder(value: object): boolean {
  if (Array.isArray(value)) return value.every(isInOrderIfObject);
  let before = '';
  for (const name in value) {
    if (name < before || !isInOrderIfObject(value[name as keyof typeof value])) return false;
    before = name;
  }
  return true;
}

const isInOrderIfObject = (value: unknown) => typeof value !== 'object' || value === null || isInOrder(value);
