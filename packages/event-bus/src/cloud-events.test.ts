import { expect, test } from '@jest/globals';
import { newEventId, newId } from '@reeve/contracts';
import { decode, encode } from './cloud-events.ts';

const eventWith = (data: unknown) => ({
  id: newEventId(),
  source: '/reeve/test',
  type: 'test.happened',
  subject: 'test/1',
  time: new Date().toISOString(),
  tenantId: newId('tenant'),
  correlationId: 'c',
  contentType: 'application/json',
  data,
});
const travelled = (data: unknown) => decode({ ...encode('key', eventWith(data)), key: null, offset: '0' }).data;

test('half a character becomes the replacement character; whole ones, and texts that look like escapes, stay', () => {
  expect(travelled({ name: 'a\ud800', list: ['\udc00b'] })).toEqual({ name: 'a\ufffd', list: ['\ufffdb'] });
  for (const data of [{ name: 'Zoë 😀' }, { name: '\\ud800' }, { name: null, deep: { n: 1 } }])
    expect(travelled(data)).toEqual(data);
});

test('bytes travel as they are', () => {
  const bytes = new Uint8Array([0, 1, 2, 255]).subarray(1);
  const event = { ...eventWith(bytes), contentType: 'application/octet-stream' };
  expect(decode({ ...encode('key', event), key: null, offset: '0' }).data).toEqual(Buffer.from(bytes));
});
