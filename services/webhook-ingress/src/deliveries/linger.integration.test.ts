// Bodies that are refused before they have come, over real sockets: whoever sends one reads why, and holds no
// connection by it.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  deliver,
  type Endpoint,
  type Ingress,
  newEndpoint,
  newTenant,
  startIngress,
} from '../webhook-ingress.test-support.ts';

const mebi = 1_048_576;
const mebibyte = Buffer.alloc(mebi, 'x');
const times = 20;
const triesAgainMs = 1_000;
let ingress: Ingress;
let endpoint: Endpoint;

beforeAll(async () => {
  ingress = await startIngress();
  endpoint = await newEndpoint(ingress, await newTenant(ingress));
}, 60_000);
afterAll(() => ingress.stop());

const head = (framing: string) => {
  const { host, pathname } = new URL(endpoint.url);
  return `POST ${pathname} HTTP/1.1\r\nhost: ${host}\r\n${framing}\r\n\r\n`;
};
const withLength = (bytes: number, more = '') => head(`content-length: ${bytes}${more}`);
const chunked = (more = '') => head(`transfer-encoding: chunked${more}`);
const closing = '\r\nconnection: close';
const chunk = (bytes: Buffer) =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);

async function open(): Promise<Socket> {
  const { port, hostname } = new URL(endpoint.url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  return socket;
}

/** Writes as fast as the other side takes it; false when that has closed the connection. */
async function writeAll(socket: Socket, parts: readonly (string | Buffer)[]): Promise<boolean> {
  const closed = once(socket, 'close').catch(() => undefined);
  for (const part of parts) {
    if (socket.destroyed) return false;
    if (!socket.write(part)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed]);
  }
  return !socket.destroyed;
}

/** Reads until the answer is whole. Rejects when the connection is reset before. */
function readAnswer(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  socket.on('data', data => {
    text += data.toString();
    const length = /content-length: (\d+)/i.exec(text)?.[1];
    const body = text.split('\r\n\r\n')[1];
    if (length !== undefined && body !== undefined && body.length >= Number(length)) resolve(text);
  });
  socket.once('error', reject).once('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
  return promise.finally(() => socket.removeAllListeners('data'));
}

async function timeToClose(socket: Socket): Promise<number> {
  const began = Date.now();
  socket.on('error', () => undefined).resume();
  await new Promise(resolve => socket.once('close', resolve));
  return Date.now() - began;
}

describe('a body of 12 MB', () => {
  const piece = Buffer.alloc(mebi / 16, 'x');
  const pieces = Array.from({ length: 12 * 16 }, () => piece);

  test.each([
    ['with its length', () => [withLength(12 * mebi), ...pieces]],
    ['in chunks', () => [chunked(), ...pieces.map(chunk), '0\r\n\r\n']],
    ['with its length, as the last of its connection,', () => [withLength(12 * mebi, closing), ...pieces]],
    ['in chunks, as the last of its connection,', () => [chunked(closing), ...pieces.map(chunk), '0\r\n\r\n']],
  ])(
    '%s is answered 413, each time and whether or not the sender reads while it sends',
    async (_, parts) => {
      for (let time = 0; time < times; ) {
        const socket = await open();
        const reading = time % 2 === 0 ? readAnswer(socket) : null;
        reading?.catch(() => undefined);
        const began = performance.now();
        await writeAll(socket, parts());
        // Where the machine is busy: whoever takes as long as we read on may be cut off, and tries again.
        if (performance.now() - began > triesAgainMs) {
          socket.destroy();
          continue;
        }
        time += 1;
        const answer = await (reading ?? readAnswer(socket));
        socket.destroy();
        expect(answer).toMatch(/^HTTP\/1\.1 413 /);
        expect(answer).toContain('"code":"body_too_large"');
      }
    },
    60_000,
  );

  test('of 1 MiB less is taken', async () => {
    const body = mebibyte;
    expect((await deliver(endpoint, { body })).status).toBe(202);
    expect((await deliver(endpoint, { body: Buffer.concat([body, Buffer.from('x')]) })).status).toBe(413);
  });
});

test('a sender that goes away in the middle of its body leaves no trace', async () => {
  for (let time = 0; time < 20; time += 1) {
    const socket = await open();
    socket.write(time % 2 === 0 ? withLength(1_000) : withLength(2 * mebi));
    socket.write('some of it');
    await pause(5);
    socket.resetAndDestroy();
  }
  expect((await deliver(endpoint)).status).toBe(202);
});

test('a connection that is kept takes the next delivery, also later', async () => {
  const socket = await open();
  const refused = readAnswer(socket);
  await writeAll(socket, [withLength(2 * mebi), mebibyte, mebibyte]);
  expect(await refused).toMatch(/^HTTP\/1\.1 413 /);
  await pause(2_500);
  const next = readAnswer(socket);
  socket.write(withLength(0));
  expect(await next).toMatch(/^HTTP\/1\.1 400 /);
  socket.destroy();
});

test('a connection that its sender wanted closed is closed when the body has come', async () => {
  const socket = await open();
  const closed = timeToClose(socket);
  await writeAll(socket, [withLength(2 * mebi, closing), mebibyte, mebibyte]);
  expect(await closed).toBeLessThan(1_500);
});

describe('a sender that goes on after its answer', () => {
  test('slowly, is cut off after two seconds', async () => {
    const socket = await open();
    socket.write(withLength(12 * mebi));
    const trickle = setInterval(() => socket.write('x'), 100);
    const took = await timeToClose(socket).finally(() => clearInterval(trickle));
    expect(took).toBeGreaterThan(1_500);
    expect(took).toBeLessThan(8_000);
  });

  test.each([
    ['with the length that it named', () => [withLength(200 * mebi), ...Array.from({ length: 200 }, () => mebibyte)]],
    ['in chunks', () => [chunked(), ...Array.from({ length: 200 }, () => chunk(mebibyte))]],
  ])('with as much as it can, %s, is read no further than 16 MiB', async (_, parts) => {
    const socket = await open();
    const closed = timeToClose(socket);
    await writeAll(socket, parts());
    expect(await closed).toBeLessThan(8_000);
    // Besides those there is what both kernels hold.
    expect(socket.bytesWritten).toBeLessThan(36 * mebi);
  });
});
