// Requests of every kind, one after the other in several lanes, for as long as something else is done.
import { setTimeout as sleep } from 'node:timers/promises';

export type Requests = Record<string, () => Promise<void>>;
export type Load = { sent: number; failures: string[] };

const lanes = 2;
const betweenMs = 60;

/** Each request throws where it is not answered as it should be. Work that fails ends the load, and is thrown. */
export async function underLoad(requests: Requests, work: () => Promise<void>): Promise<Load> {
  const load: Load = { sent: 0, failures: [] };
  let isOver = false;

  async function lane(name: string, request: () => Promise<void>): Promise<void> {
    while (!isOver) {
      load.sent += 1;
      await request().catch((error: Error) => {
        const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
        load.failures.push(`${new Date().toISOString()} ${name}: ${error.message}${cause}`);
      });
      await sleep(betweenMs);
    }
  }

  const running = Object.entries(requests).flatMap(([name, request]) =>
    Array.from({ length: lanes }, () => lane(name, request)),
  );
  try {
    await work();
  } finally {
    isOver = true;
    await Promise.all(running);
  }
  return load;
}
