import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readEvents, type ServerSentEvent } from './server-sent-events.ts';

async function read(chunks: readonly Uint8Array[], longest = 1_000): Promise<ServerSentEvent[]> {
  const found: ServerSentEvent[] = [];
  const body = (async function* () {
    yield* chunks;
  })();
  for await (const one of readEvents(body, longest)) found.push(one);
  return found;
}

test('events are read alike, wherever the chunks are cut, and however lines end', async () => {
  const text = 'event: revoked\ndata: {"ä":1}\n\n: a comment\n\nid: 7\ndata: one\ndata:two\n\ndata\n\nevent: cut off';
  const wanted = [
    { event: 'revoked', data: '{"ä":1}' },
    { event: 'message', data: 'one\ntwo' },
    { event: 'message', data: '' },
  ];
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(200)), fc.constantFrom('\n', '\r\n', '\r'), async (cuts, end) => {
      const bytes = Buffer.from(text.replaceAll('\n', end));
      const places = [0, ...cuts.filter(at => at < bytes.length), bytes.length].toSorted((one, other) => one - other);
      const chunks = places.slice(1).map((at, index) => bytes.subarray(places[index], at));
      expect(await read(chunks)).toEqual(wanted);
    }),
  );
});

test('an event without an end is not kept for ever', async () => {
  await expect(read([Buffer.from(`data: ${'x'.repeat(2_000)}`)])).rejects.toThrow('more than 1000');
});
