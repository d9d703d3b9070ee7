import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { peerFetch } from './peer-fetch.ts';

let server: Server;
let asked = 0;

async function listening(
  port: number,
  answer: (response: import('node:http').ServerResponse) => void,
): Promise<string> {
  asked = 0;
  server = createServer((_, response) => {
    asked += 1;
    answer(response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const ended = async () => {
  server.close();
  await once(server, 'close');
};

afterEach(() => void server.close());

test('a connection that is refused is tried again, and found where somebody listens by then', async () => {
  const url = await listening(0, response => response.end('well'));
  const { port } = new URL(url);
  await ended();
  const answer = peerFetch(url);
  setTimeout(() => void listening(Number(port), response => response.end('well')), 200);
  expect(await (await answer).text()).toBe('well');
  expect(asked).toBe(1);
});

test('where nobody comes back, it fails with the refusal', async () => {
  const url = await listening(0, response => response.end());
  await ended();
  await expect(peerFetch(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
});

test('what may have been received is not sent again: a connection that ends without an answer, and a time that is over', async () => {
  const url = await listening(0, response => void response.socket?.destroy());
  await expect(peerFetch(url, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed');
  expect(asked).toBe(1);
  await ended();
  const silent = await listening(0, () => undefined);
  await expect(peerFetch(silent, { signal: AbortSignal.timeout(200) })).rejects.toThrow('timeout');
  expect(asked).toBe(1);
  server.closeAllConnections();
});
