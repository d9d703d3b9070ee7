import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import { createGiveWay, yieldEvery } from './give-way.ts';

function start() {
  const { noteRequest, takesLong, toRequests } = createGiveWay();
  return {
    request() {
      const response = new EventEmitter();
      noteRequest({} as Request, response as Response, () => undefined);
      return { end: () => response.emit('close'), takesLong: () => takesLong(response as Response) };
    },
    /** By turns of the event loop, since a busy machine has its own idea of milliseconds. */
    goesOn() {
      let hasGoneOn = false;
      void toRequests().then(() => {
        hasGoneOn = true;
      });
      return async () => {
        for (let turn = 0; turn < 3; turn += 1) await nextTurn();
        return hasGoneOn;
      };
    },
    async took() {
      const began = performance.now();
      await toRequests();
      return performance.now() - began;
    },
  };
}

describe('work that nobody waits for', () => {
  test('goes on at once while no request is being served', async () => {
    const { request, goesOn } = start();
    expect(await goesOn()()).toBe(true);
    request().end();
    expect(await goesOn()()).toBe(true);
  });

  test('waits for the requests that are, and goes on when the last of them ends', async () => {
    const { request, goesOn } = start();
    const [one, other] = [request(), request()];
    const hasGoneOn = goesOn();
    expect(await hasGoneOn()).toBe(false);
    one.end();
    expect(await hasGoneOn()).toBe(false);
    other.end();
    expect(await hasGoneOn()).toBe(true);
  });

  test('is done in the end, however many requests there are', async () => {
    const { request, took } = start();
    request();
    const ms = await took();
    expect(ms).toBeGreaterThanOrEqual(45);
    expect(ms).toBeLessThan(2_000);
  });

  test('does not wait for a request that streams, or waits for something itself', async () => {
    const { request, goesOn } = start();
    request();
    await pause(1_050);
    expect(await goesOn()()).toBe(true);
  });

  test('does not wait for a request that takes long, and goes on when it hears so', async () => {
    const { request, goesOn, took } = start();
    const long = request();
    const hasGoneOn = goesOn();
    expect(await hasGoneOn()).toBe(false);
    long.takesLong();
    expect(await hasGoneOn()).toBe(true);
    const other = request();
    long.end();
    expect(await took()).toBeGreaterThanOrEqual(45);
    other.end();
  });
});

describe('a long loop', () => {
  const spin = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  };

  test('lets others have their turn now and then, and not at every step', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    const rest = yieldEvery(10);
    let rests = 0;
    for (let n = 0; n < 60; n += 1) {
      spin(1);
      const resting = rest();
      if (resting) rests += 1;
      await resting;
    }
    clearInterval(timer);
    expect(rests).toBeGreaterThanOrEqual(3);
    expect(rests).toBeLessThanOrEqual(30);
    expect(turns).toBeGreaterThanOrEqual(2);
  });

  test('gives way to whatever it is told to', async () => {
    let rests = 0;
    const rest = yieldEvery(5, async () => void (rests += 1));
    await rest();
    expect(rests).toBe(0);
    spin(6);
    await rest();
    expect(rests).toBe(1);
  });
});
