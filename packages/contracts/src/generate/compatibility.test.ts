import { describe, expect, test } from '@jest/globals';
import { breakingChanges } from './compatibility.ts';
import { type JsonSchema, type SchemaFiles, schemaFiles } from './event-schemas.ts';

type Schema = { properties: Record<string, JsonSchema>; required: string[] };

const head = {
  type: 'object',
  required: ['actor'],
  properties: { actor: { type: 'string', enum: ['user', 'client'] } },
};
const details: JsonSchema = {
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    kind: { type: 'string', enum: ['a', 'b'] },
    tags: { type: 'array', items: { type: 'string' } },
    note: { anyOf: [{ type: 'string' }, { type: 'null' }] },
  },
};

const files = (type: JsonSchema = details, common: JsonSchema = head): SchemaFiles =>
  new Map<string, JsonSchema>([
    ['head.json', common],
    ['topic.json', { $defs: { 'thing.done': { allOf: [{ $ref: 'head.json' }], properties: { details: type } } } }],
  ]);

const changed = (edit: (schema: Schema) => void): SchemaFiles => {
  const copy = structuredClone(details);
  edit(copy as Schema);
  return files(copy);
};

describe('a change breaks nobody', () => {
  test.each<[string, (schema: Schema) => void]>([
    ['that is none', () => undefined],
    ['by a member that may be missing', ({ properties }) => void (properties['more'] = { type: 'string' })],
    ['by a description', ({ properties }) => void (properties['id'] = { type: 'string', description: 'its id' })],
  ])('%s', (_, edit) => {
    expect(breakingChanges(files(), changed(edit))).toEqual([]);
  });

  test('by another event type', () => {
    const more = files();
    Object.assign(more.get('topic.json')?.['$defs'] ?? {}, { 'thing.undone': details });
    expect(breakingChanges(files(), more)).toEqual([]);
  });
});

describe('readers of before are broken', () => {
  const at = 'thing.done.details';
  test.each<[string, string, (schema: Schema) => void]>([
    ['a member that goes', `${at}.id: the member is gone`, ({ properties }) => void delete properties['id']],
    [
      'a type that changes',
      `${at}.id: \`type\` changed`,
      ({ properties }) => void (properties['id'] = { type: 'number' }),
    ],
    [
      'an item type that changes',
      `${at}.tags[]: \`type\` changed`,
      ({ properties }) => void (properties['tags'] = { type: 'array', items: { type: 'number' } }),
    ],
    [
      'a member that may be missing now',
      `${at}: id may be missing now, and readers of before expect it`,
      schema => void (schema.required = []),
    ],
    [
      'a new value of a closed list',
      `${at}.kind: the values c are new, and readers of before refuse them`,
      ({ properties }) => void (properties['kind'] = { type: 'string', enum: ['a', 'b', 'c'] }),
    ],
    [
      'another alternative',
      `${at}.note: the alternatives changed`,
      ({ properties }) => void (properties['note'] = { anyOf: [{ type: 'string' }] }),
    ],
  ])('by %s', (_, problem, edit) => {
    expect(breakingChanges(files(), changed(edit))).toContain(problem);
  });

  test('by an event type that goes', () => {
    const fewer = files();
    fewer.set('topic.json', { $defs: {} });
    expect(breakingChanges(files(), fewer)).toEqual(['thing.done: the event type is gone']);
  });

  test('by a change of the head, which every type refers to', () => {
    const wider = { ...head, properties: { actor: { type: 'string', enum: ['user', 'client', 'agent'] } } };
    expect(breakingChanges(files(), files(details, wider))).toEqual([
      'thing.done.actor: the values agent are new, and readers of before refuse them',
    ]);
  });
});

describe('readers of now are broken by what lies on the topics', () => {
  const at = 'thing.done.details';
  test.each<[string, string, (schema: Schema) => void]>([
    [
      'a member that is required now',
      `${at}: more is required now, and events of before lack it`,
      schema => {
        schema.properties['more'] = { type: 'string' };
        schema.required = ['id', 'more'];
      },
    ],
    [
      'a value that goes',
      `${at}.kind: the values b are gone, and events of before hold them`,
      ({ properties }) => void (properties['kind'] = { type: 'string', enum: ['a'] }),
    ],
    [
      'a narrower form',
      `${at}.id: \`pattern\` changed`,
      ({ properties }) => void (properties['id'] = { type: 'string', pattern: '^x' }),
    ],
  ])('when there is %s', (_, problem, edit) => {
    expect(breakingChanges(files(), changed(edit))).toContain(problem);
  });
});

test('the schemas of this repository get on with themselves, with every reference resolved', () => {
  expect(breakingChanges(schemaFiles(), schemaFiles())).toEqual([]);
});
