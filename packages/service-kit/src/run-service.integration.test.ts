// The life of a service process, from its start on.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, test } from '@jest/globals';
import { freePort } from '@reeve/local/ports';
import { engines, eventually } from '@reeve/testing';
import { endSamples, onEngines, runSample, startSample } from './sample-process.test-support.ts';

const doors: Server[] = [];
afterEach(() => {
  endSamples();
  for (const door of doors.splice(0)) door.close();
});

/** From now on this port leads to that address. */
function openDoor(port: number, address: string): void {
  const [host, behind] = address.split(':');
  const door = createServer(client => {
    const engine = connect({ host, port: Number(behind) });
    client.pipe(engine).pipe(client);
    for (const end of [client, engine]) end.on('error', () => undefined);
  });
  doors.push(door.listen(port, '127.0.0.1'));
}

test('whoever sends half of a header is sent away within seconds, and whoever sends all of it is answered', async () => {
  const port = await freePort();
  const child = startSample({ environment: { PORT: String(port) }, work: `process.stderr.write('up')` });
  child.stdout?.resume();
  if (child.stderr) await once(child.stderr, 'data');
  const began = performance.now();
  const slow = connect(port, '127.0.0.1').setEncoding('utf8');
  let answer = '';
  slow.on('data', (chunk: string) => {
    answer += chunk;
  });
  slow.write('GET / HTTP/1.1\r\nHost: x\r\nX-Half');
  expect((await fetch(`http://127.0.0.1:${port}`)).status).toBe(404);
  await once(slow, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  expect(performance.now() - began).toBeGreaterThan(9_000);
  expect(performance.now() - began).toBeLessThan(15_000);
}, 45_000);

test('a service that is told to stop ends, however busily its connections are used, and cuts nobody off', async () => {
  const port = await freePort();
  const create = `() => {
    let begun = 0;
    const app = express().get('/', (request, response) => {
      begun += 1;
      setTimeout(() => response.send('here'), 20);
    });
    return { app, start: async () => undefined, stop: async () => process.stderr.write(' served ' + begun + '.') };
  }`;
  const child = startSample({ create, environment: { PORT: String(port) }, work: `process.stderr.write('up')` });
  child.stdout?.resume();
  let said = '';
  child.stderr?.on('data', text => (said += String(text)));
  await eventually('it to listen', () => said === 'up');
  let isRefused = false;
  let answered = 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const ask = () =>
    new Promise<void>(resolve => {
      const request = get({ port, agent }, answer => {
        answer.resume();
        answer.once('end', () => (answered += 1));
        answer.once('close', resolve);
      });
      request.once('error', (error: NodeJS.ErrnoException) => {
        isRefused ||= error.code === 'ECONNREFUSED';
        resolve();
      });
    });
  const asking = Array.from({ length: 8 }, async () => {
    while (!isRefused) await ask();
  });
  await pause(500);
  const began = performance.now();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(performance.now() - began).toBeLessThan(5_000);
  await Promise.all(asking);
  expect(said).toBe(`up served ${answered}.`);
}, 45_000);

describe('a service that starts before its engines', () => {
  const mongodb = () => new URL(engines().mongodb).host;
  const uriOf = (hosts: string) => `mongodb://${hosts}/?directConnection=true`;

  test('waits for them, and serves when they come', async () => {
    const [port, kafkaPort, mongodbPort] = [await freePort(), await freePort(), await freePort()];
    const child = startSample({
      create: onEngines,
      environment: {
        PORT: String(port),
        KAFKA_BROKERS: `127.0.0.1:${kafkaPort}`,
        MONGODB_URI: uriOf(`127.0.0.1:${mongodbPort}`),
        MONGODB_DATABASE: `late_${randomUUID().slice(0, 8)}`,
      },
    });
    let log = '';
    child.stdout?.on('data', chunk => {
      log += String(chunk);
    });
    const status = () =>
      fetch(`http://127.0.0.1:${port}/readyz`).then(
        answer => answer.status,
        () => 0,
      );
    await eventually('it to wait', () => log.includes('waiting for the engines'));
    await pause(2_000);
    expect([await status(), child.exitCode]).toEqual([0, null]);
    openDoor(mongodbPort, mongodb());
    openDoor(kafkaPort, engines().kafka);
    await eventually('it to serve', async () => (await status()) === 200, 30_000);
  }, 60_000);

  test('and finds that its configuration cannot be, ends as with one that is wrong', async () => {
    const start = "() => Promise.reject(new ConfigError(['REEVE_RESTORED_TO: an instance still runs']))";
    const { code, errors } = await runSample({
      create: `async () => {
        const { ConfigError } = await import('${join(import.meta.dirname, 'config.ts')}');
        return { app: express(), start: ${start}, stop: async () => undefined };
      }`,
    });
    expect([code, errors]).toEqual([78, expect.stringContaining('an instance still runs')]);
  });

  test.each([
    ['MongoDB', onEngines, 'MongoDB does not answer at 127.0.0.1:1,127.0.0.1:2 (MONGODB_URI)'],
    // kafkajs itself takes half a minute to give up.
    [
      'Kafka',
      `() => {
        const error = Object.assign(new Error('ECONNREFUSED'), { name: 'KafkaJSConnectionError' });
        return { app: express(), start: () => Promise.reject(error), stop: async () => undefined };
      }`,
      'Kafka does not answer at kafka-1:9092,kafka-2:9092 (KAFKA_BROKERS)',
    ],
  ])('and waits in vain for %s says where it is awaited', async (_, create, expected) => {
    const { code, errors, output } = await runSample({
      create,
      environment: {
        REEVE_START_SECONDS: '1',
        KAFKA_BROKERS: 'kafka-1:9092,kafka-2:9092',
        MONGODB_URI: 'mongodb://ada:geheim@127.0.0.1:1,127.0.0.1:2/x',
      },
    });
    expect([code, errors]).toEqual([1, `sample: could not start: ${expected}\n`]);
    expect(output).not.toContain('geheim');
  });
});
