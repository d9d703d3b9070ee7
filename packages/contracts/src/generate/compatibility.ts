// Whether two versions of the schemas get on with one another in both directions: readers of before with events of now,
// since consumers are not updated at the same moment, and readers of now with events of before, since topics are read
// from their beginning for ever. So what is there stays as it is; there may be more event types, and more members that
// may be missing.
import type { JsonSchema, SchemaFiles } from './event-schemas.ts';

type Version = { files: SchemaFiles; file: string };

/** What only explains. */
const annotations = new Set(['title', 'description', '$comment', 'examples', 'deprecated', '$schema']);
/** What is compared member by member. */
const nested = new Set(['properties', 'required', 'items', 'anyOf', 'allOf', 'enum', '$defs', '$ref']);

/** The differences that would break a reader, each with its place. Empty when there are none. */
export function breakingChanges(released: SchemaFiles, current: SchemaFiles): string[] {
  return [...released].flatMap(([file, before]) => {
    const types = isSchema(before['$defs']) ? Object.entries(before['$defs']) : [];
    const now = current.get(file);
    if (!now) return [`${file}: the schema is gone`];
    const present = isSchema(now['$defs']) ? now['$defs'] : {};
    return types.flatMap(([type, schema]) => {
      const successor = present[type];
      if (!isSchema(schema)) return [];
      if (!isSchema(successor)) return [`${type}: the event type is gone`];
      return compare(resolved(schema, { files: released, file }), resolved(successor, { files: current, file }), type);
    });
  });
}

const isSchema = (value: unknown): value is JsonSchema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const only = (some: unknown[], other: unknown[]) => some.filter(one => !other.includes(one));

/** With what it refers to in its place, and the parts of `allOf` as one. */
function resolved(schema: JsonSchema, version: Version): JsonSchema {
  const { $ref, allOf, ...own } = schema;
  const parts = [...list(allOf).filter(isSchema), ...(typeof $ref === 'string' ? [target($ref, version)] : [])];
  const members = Object.fromEntries(
    Object.entries(own).map(([key, value]) => {
      if (key === 'items' && isSchema(value)) return [key, resolved(value, version)];
      if (key === 'anyOf') return [key, list(value).map(one => (isSchema(one) ? resolved(one, version) : one))];
      if (key !== 'properties' || !isSchema(value)) return [key, value];
      const properties = Object.entries(value).map(([name, one]) => [
        name,
        isSchema(one) ? resolved(one, version) : one,
      ]);
      return [key, Object.fromEntries(properties)];
    }),
  ) as JsonSchema;
  return parts.reduce<JsonSchema>((whole, part) => merged(resolved(part, version), whole), members);
}

function target(reference: string, { files, file }: Version): JsonSchema {
  const [name, pointer = ''] = reference.split('#');
  const path = pointer.split('/').filter(part => part !== '');
  const found = path.reduce<unknown>(
    (value, part) => (isSchema(value) ? value[part] : undefined),
    files.get(name === undefined || name === '' ? file : name),
  );
  if (!isSchema(found)) throw new Error(`${file} refers to ${reference}, which is not there`);
  return found;
}

/** Both have to hold: the narrower schema says more about the same members. */
function merged(wider: JsonSchema, narrower: JsonSchema): JsonSchema {
  const [one, other] = [wider['properties'] ?? {}, narrower['properties'] ?? {}] as JsonSchema[];
  const required = [...new Set([...list(wider['required']), ...list(narrower['required'])])];
  return { ...wider, ...narrower, properties: { ...one, ...other }, required };
}

function compare(before: JsonSchema, now: JsonSchema, at: string): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(now)].filter(key => !annotations.has(key)));
  const changed = [...keys].filter(key => !nested.has(key) && JSON.stringify(before[key]) !== JSON.stringify(now[key]));
  return [
    ...changed.map(key => `${at}: \`${key}\` changed`),
    ...compareValues(before, now, at),
    ...compareMembers(before, now, at),
    ...compareAlternatives(before, now, at),
    ...(isSchema(before['items']) && isSchema(now['items']) ? compare(before['items'], now['items'], `${at}[]`) : []),
  ];
}

function compareValues(before: JsonSchema, now: JsonSchema, at: string): string[] {
  const [gone, fresh] = [only(list(before['enum']), list(now['enum'])), only(list(now['enum']), list(before['enum']))];
  return [
    ...(gone.length > 0 ? [`${at}: the values ${gone.join(', ')} are gone, and events of before hold them`] : []),
    ...(fresh.length > 0 ? [`${at}: the values ${fresh.join(', ')} are new, and readers of before refuse them`] : []),
  ];
}

function compareMembers(before: JsonSchema, now: JsonSchema, at: string): string[] {
  const lost = only(list(before['required']), list(now['required']));
  const demanded = only(list(now['required']), list(before['required']));
  const properties = isSchema(before['properties']) ? before['properties'] : {};
  const present = isSchema(now['properties']) ? now['properties'] : {};
  return [
    ...(lost.length > 0 ? [`${at}: ${lost.join(', ')} may be missing now, and readers of before expect it`] : []),
    ...(demanded.length > 0 ? [`${at}: ${demanded.join(', ')} is required now, and events of before lack it`] : []),
    ...Object.entries(properties).flatMap(([name, schema]) => {
      const successor = present[name];
      if (!isSchema(successor)) return [`${at}.${name}: the member is gone`];
      return isSchema(schema) ? compare(schema, successor, `${at}.${name}`) : [];
    }),
  ];
}

function compareAlternatives(before: JsonSchema, now: JsonSchema, at: string): string[] {
  const [some, others] = [list(before['anyOf']), list(now['anyOf'])];
  if (some.length !== others.length) return [`${at}: the alternatives changed`];
  return some.flatMap((one, index) => {
    const other = others[index];
    return isSchema(one) && isSchema(other) ? compare(one, other, at) : [];
  });
}
