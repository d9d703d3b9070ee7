// docs/audit-format.md is what others write their verifiers from: its table of classes has to be this one.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eventTypes } from '@reeve/contracts';
import { classified, shapeOf } from './ocsf-classes.ts';

const document = readFileSync(new URL('../../../../docs/audit-format.md', import.meta.url), 'utf8');
const [, table = ''] = document.split('Classes and activities by type:');
const rows = [...table.matchAll(/^\| (\d{4}) ([\w ]+?) \| (.+) \|$/gm)].map(([, id, name, cell = '']) => ({
  id: Number(id),
  name,
  activities: cell.split('; ').map(one => ({
    activity: Number(/\d+/.exec(one)?.[0]),
    caption: /\((.+?)\)/.exec(one)?.[1],
    words: [...one.matchAll(/`([\w.]+)`/g)].map(([, word = '']) => word),
  })),
}));

/** As a reader of the document would find it. */
function found(type: string) {
  const ofWord = (word: string) =>
    rows.flatMap(({ id, name, activities }) =>
      activities.filter(({ words }) => words.includes(word)).map(one => ({ ...one, id, name })),
    )[0];
  const entity = { id: 3004, name: 'Entity Management', activity: 99, caption: undefined };
  return ofWord(type) ?? ofWord(type.slice(type.indexOf('.') + 1)) ?? entity;
}

test.each([...Object.keys(eventTypes), 'audit.dead_lettered', 'of.the_future', 'created'])(
  '%s is of the class that the document says',
  type => {
    const { id, name, activity, caption } = found(type);
    expect(classified(shapeOf(type), type)).toMatchObject({
      class_uid: id,
      class_name: name,
      activity_id: activity,
      activity_name: caption ?? type,
    });
  },
);

test('the document has each class once', () => {
  expect(rows).toHaveLength(7);
  expect(new Set(rows.map(({ id }) => id))).toEqual(new Set([2004, 3001, 3002, 3004, 3005, 3006, 6003]));
});
