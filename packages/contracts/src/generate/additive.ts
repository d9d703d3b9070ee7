// Whether one schema only adds to another, so that a reader of the old one can read the new one's events. What was promised stays:
// no property goes, no type changes, nothing that was always there becomes optional, no value of a closed list goes.
import type { JsonSchema, TopicSchemas } from './event-schemas.ts';

/** The differences that would break a reader, each with its place. Empty when there are none. */
export function breakingChanges(released: TopicSchemas, current: TopicSchemas): string[] {
  return Object.entries(released.$defs).flatMap(([type, before]) => {
    const now = current.$defs[type];
    return now ? compare(before, now, type) : [`${type}: the event type is gone`];
  });
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function compare(before: JsonSchema, now: JsonSchema, at: string): string[] {
  const problems: string[] = [];
  if (JSON.stringify(before['type']) !== JSON.stringify(now['type'])) problems.push(`${at}: the type changed`);
  const goneValues = list(before['enum']).filter(value => !list(now['enum']).includes(value));
  if (goneValues.length > 0) problems.push(`${at}: the values ${goneValues.join(', ')} are gone`);
  const notAlways = list(before['required']).filter(name => !list(now['required']).includes(name));
  if (notAlways.length > 0) problems.push(`${at}: ${notAlways.join(', ')} may be missing now`);
  const alternatives = list(before['anyOf']).length;
  if (alternatives !== list(now['anyOf']).length) problems.push(`${at}: the alternatives changed`);
  for (let index = 0; index < alternatives; index += 1) {
    const [one, other] = [list(before['anyOf'])[index], list(now['anyOf'])[index]];
    if (isSchema(one) && isSchema(other)) problems.push(...compare(one, other, at));
  }
  if (isSchema(before['items']) && isSchema(now['items']))
    problems.push(...compare(before['items'], now['items'], `${at}[]`));
  const properties = isSchema(before['properties']) ? before['properties'] : {};
  const current = isSchema(now['properties']) ? now['properties'] : {};
  for (const [name, schema] of Object.entries(properties)) {
    const successor = current[name];
    if (!isSchema(successor)) problems.push(`${at}.${name}: the property is gone`);
    else if (isSchema(schema)) problems.push(...compare(schema, successor, `${at}.${name}`));
  }
  return problems;
}
