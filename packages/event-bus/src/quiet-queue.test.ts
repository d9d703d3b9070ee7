import { spawnSync } from 'node:child_process';
import { describe, expect, jest, test } from '@jest/globals';
import { QuietQueue } from './quiet-queue.ts';

const logger = { debug: () => undefined, warn: () => undefined };
const options = { maxInFlightRequests: 1, requestTimeout: 1_000, clientId: 'test', broker: 'test', logger };
type Full = QuietQueue & {
  push(request: object): void;
  fulfillRequest(answer: object): void;
  checkPendingRequests(): void;
};

describe('the queue of requests to a broker', () => {
  test('sets no timer while nothing waits, and sends what waits when there is room', () => {
    jest.useFakeTimers();
    const queue = new QuietQueue(options) as Full;
    const sent: number[] = [];
    const push = (correlationId: number) =>
      queue.push({
        entry: { correlationId, resolve: () => undefined, reject: () => undefined },
        expectResponse: true,
        sendRequest: () => sent.push(correlationId),
      });
    queue.checkPendingRequests();
    expect(jest.getTimerCount()).toBe(0);
    push(1);
    push(2);
    expect([sent, jest.getTimerCount()]).toEqual([[1], 1]);
    queue.fulfillRequest({ correlationId: 1, payload: Buffer.alloc(0), size: 0 });
    jest.advanceTimersByTime(50);
    expect([sent, jest.getTimerCount()]).toEqual([[1, 2], 0]);
    jest.useRealTimers();
  });

  test('is that of kafkajs', () => {
    const program = `
      import { createRequire } from 'node:module';
      import { QuietQueue } from './quiet-queue.ts';
      const theirs = createRequire(import.meta.url)('kafkajs/src/network/requestQueue/index.js');
      process.exitCode = theirs === QuietQueue ? 0 : 3;`;
    const flags = ['--disable-warning=ExperimentalWarning', '--conditions=source', '--input-type=module-typescript'];
    expect(spawnSync(process.execPath, [...flags, '-e', program], { cwd: import.meta.dirname }).status).toBe(0);
  });
});
