import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Response } from 'express';
import { inPortions, sendStream } from './send-stream.ts';

const servers: Server[] = [];
const warnings: Error[] = [];
const onWarning = (warning: Error) => warnings.push(warning);
process.on('warning', onWarning);
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  warnings.length = 0;
});

/** What `send` does with a response, and what a reader of it gets. */
async function serve(send: (response: Response) => Promise<void>) {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  ended.catch(() => undefined);
  let sent: ServerResponse | undefined;
  const server = createServer((_request, response) => {
    sent = response;
    send(response as unknown as Response).then(resolve, reject);
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return { answer, request, ended, sent: () => sent as ServerResponse };
}

async function* lines(count: number, { onEnd = () => undefined as void } = {}) {
  try {
    for (let n = 0; n < count; n += 1) yield `${n} ${'x'.repeat(20_000)}`;
  } finally {
    onEnd();
  }
}

async function lengthOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

describe('a streamed answer', () => {
  test.each([
    ['as it is', []],
    ['through gzip', [createGzip({ level: 0 })]],
  ])('is made as fast as it is read, %s, and leaves no listeners behind', async (_, through) => {
    const { answer, ended, sent } = await serve(response => sendStream(response, inPortions(lines(300)), through));
    // Often enough for Node to warn of a leak, which it does at eleven listeners.
    for (let n = 0; n < 20; n += 1) {
      answer.resume();
      await pause(3);
      answer.pause();
      await pause(3);
    }
    answer.resume();
    await ended;
    const counts = ['drain', 'close', 'error', 'finish'].map(name => sent().listenerCount(name));
    expect(Math.max(...counts)).toBeLessThan(8);
    expect(warnings.map(({ name }) => name)).toEqual([]);
  });

  test('is whole', async () => {
    const { answer, ended } = await serve(response => sendStream(response, inPortions(lines(50))));
    const expected = Array.from({ length: 50 }, (_, n) => `${n} `.length + 20_001).reduce((sum, one) => sum + one, 0);
    expect(await lengthOf(answer)).toBe(expected);
    await ended;
  });

  test('whose reader goes away is not made further, and that is no error', async () => {
    let isEnded = false;
    const onEnd = () => {
      isEnded = true;
    };
    const { answer, request, ended } = await serve(response =>
      sendStream(response, inPortions(lines(100_000, { onEnd }))),
    );
    await once(answer, 'data');
    request.destroy();
    await ended;
    expect(isEnded).toBe(true);
  });

  test('that cannot be made breaks off, and whoever sends it hears why', async () => {
    async function* broken() {
      yield* lines(3);
      throw new Error('a record is missing');
    }
    const { answer, ended } = await serve(response => sendStream(response, inPortions(broken())));
    await expect(lengthOf(answer)).rejects.toThrow('aborted');
    await expect(ended).rejects.toThrow('a record is missing');
  });

  test('of which the compression fails breaks off as well', async () => {
    const failing = new Transform({ transform: (_chunk, _encoding, done) => done(new Error('no memory')) });
    const { answer, ended } = await serve(async response => {
      response.flushHeaders();
      await sendStream(response, inPortions(lines(3)), [failing]);
    });
    await expect(lengthOf(answer)).rejects.toThrow('aborted');
    await expect(ended).rejects.toThrow('no memory');
  });
});
