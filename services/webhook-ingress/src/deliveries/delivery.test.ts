import { describe, expect, test } from '@jest/globals';
import { ProblemError } from '@reeve/contracts';
import { defaultSettings } from '../endpoints/endpoint.ts';
import { identify } from './delivery.ts';

type Settings = Partial<typeof defaultSettings>;

const signedBytesSha256 = () => 'f00';
const headers: Record<string, string> = { 'x-id': 'evt-1', 'x-seq': '7', 'x-empty': '' };

function identified(body: string, { idFrom = null, ...settings }: Settings) {
  const receiver = {
    endpoint: { ...defaultSettings, ...settings },
    idSource: { from: idFrom, signed: true },
  } as Parameters<typeof identify>[0];
  return identify(receiver, { header: name => headers[name], body: Buffer.from(body), signedBytesSha256 });
}

describe('what a delivery says about itself', () => {
  test('is read from headers and from the body, as the endpoint says', () => {
    const body = JSON.stringify({ data: { 'id/a': 'evt-2', seq: 8, key: 'room-1' } });
    expect(identified(body, { idFrom: 'header:x-id', sequenceFrom: 'header:x-seq' })).toEqual({
      webhookId: 'evt-1',
      sequence: 7,
      orderingKey: '',
    });
    const inBody = {
      idFrom: 'body:/data/id~1a',
      sequenceFrom: 'body:/data/seq',
      orderingKeyFrom: 'body:/data/key',
    } as const;
    expect(identified(body, inBody)).toEqual({ webhookId: 'evt-2', sequence: 8, orderingKey: 'room-1' });
  });

  test('may be a whole number where an id or a key is wanted', () => {
    const settings = { idFrom: 'body:/id', orderingKeyFrom: 'body:/key' } as const;
    expect(identified('{"id": 12, "key": 9}', settings)).toMatchObject({ webhookId: '12', orderingKey: '9' });
  });

  test.each(['', 'not json', '"text"', 'null', '[]', '{"id": null}', '{"id": ""}', '{"other": 1}'])(
    'is what was signed where %j holds no id',
    body => {
      expect(identified(body, { idFrom: 'body:/id' })).toEqual({
        webhookId: 'sha256:f00',
        orderingKey: '',
        sequence: null,
      });
    },
  );

  test.each([
    ['an object for an id', '{"id": {"a": 1}}', { idFrom: 'body:/id' }],
    ['a fraction for an id', '{"id": 1.5}', { idFrom: 'body:/id' }],
    ['an id of 257 characters', JSON.stringify({ id: 'x'.repeat(257) }), { idFrom: 'body:/id' }],
    ['a control character', '{"id": "a\\u0000b"}', { idFrom: 'body:/id' }],
    ['half of a character', '{"id": "\\ud800"}', { idFrom: 'body:/id' }],
    ['a list for a key', '{"key": ["a"]}', { orderingKeyFrom: 'body:/key' }],
    ['a negative sequence', '{"n": -1}', { sequenceFrom: 'body:/n' }],
    ['a sequence with a fraction', '{"n": 1.5}', { sequenceFrom: 'body:/n' }],
    ['a sequence in words', '{"n": "one"}', { sequenceFrom: 'body:/n' }],
    ['a sequence of 16 digits', '{"n": "1234567890123456"}', { sequenceFrom: 'body:/n' }],
    ['no sequence where order is demanded', '{}', { sequenceFrom: 'body:/n', ordered: true }],
  ] as const)('is malformed when it is %s, and the answer names the place', (_, body, settings) => {
    const place = Object.values(settings).find(value => typeof value === 'string');
    const problem = { code: 'delivery_malformed', message: expect.stringContaining(String(place)) };
    expect(() => identified(body, settings)).toThrow(ProblemError);
    expect(() => identified(body, settings)).toThrow(expect.objectContaining(problem));
  });
});
