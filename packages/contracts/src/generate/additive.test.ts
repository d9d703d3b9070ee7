import { describe, expect, test } from '@jest/globals';
import { breakingChanges } from './additive.ts';
import type { JsonSchema, TopicSchemas } from './event-schemas.ts';

const topic = (schema: JsonSchema): TopicSchemas => ({ $schema: '', title: '', $defs: { 'thing.done': schema } });
const released = topic({
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    kind: { type: 'string', enum: ['a', 'b'] },
    tags: { type: 'array', items: { type: 'string' } },
  },
});
const changed = (
  edit: (schema: { properties: Record<string, JsonSchema>; required: string[] }) => void,
): TopicSchemas => {
  const copy = structuredClone(released);
  edit(copy.$defs['thing.done'] as never);
  return copy;
};

describe('additive changes', () => {
  test.each([
    ['nothing', () => undefined],
    [
      'a new optional property',
      (schema: { properties: Record<string, JsonSchema> }) => void (schema.properties['more'] = { type: 'string' }),
    ],
    [
      'a new value of a list',
      (schema: { properties: Record<string, JsonSchema> }) =>
        void (schema.properties['kind'] = { type: 'string', enum: ['a', 'b', 'c'] }),
    ],
  ])('%s breaks no reader', (_, edit) => {
    expect(breakingChanges(released, changed(edit))).toEqual([]);
  });

  test.each([
    [
      'a property that goes',
      'thing.done.id: the property is gone',
      (schema: { properties: Record<string, JsonSchema> }) => void delete schema.properties['id'],
    ],
    [
      'a type that changes',
      'thing.done.id: the type changed',
      (schema: { properties: Record<string, JsonSchema> }) => void (schema.properties['id'] = { type: 'number' }),
    ],
    [
      'an item type that changes',
      'thing.done.tags[]: the type changed',
      (schema: { properties: Record<string, JsonSchema> }) =>
        void (schema.properties['tags'] = { type: 'array', items: { type: 'number' } }),
    ],
    [
      'a value that goes',
      'thing.done.kind: the values b are gone',
      (schema: { properties: Record<string, JsonSchema> }) =>
        void (schema.properties['kind'] = { type: 'string', enum: ['a'] }),
    ],
    [
      'a property that may be missing',
      'thing.done: id may be missing now',
      (schema: { required: string[] }) => void (schema.required = []),
    ],
  ])('%s is named', (_, problem, edit) => {
    expect(breakingChanges(released, changed(edit as never))).toContain(problem);
  });

  test('an event type that goes is named', () => {
    expect(breakingChanges(released, { ...released, $defs: {} })).toEqual(['thing.done: the event type is gone']);
  });
});
