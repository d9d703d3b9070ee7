import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * How long engines and services may take to start. On a machine that is busy they take long, and are there in the end.
 */
export const startWithinMs = (Number(process.env['REEVE_START_SECONDS']) || 180) * 1_000;

/** To be added where something was not there in time. */
export const whereItIsSlow = `within ${startWithinMs / 1_000} s. Where the machine is busy, set REEVE_START_SECONDS to more`;

/** Tries until it is true. False when the time is over or `abandoned` says that waiting is pointless. */
export async function waitFor(
  check: () => Promise<boolean>,
  { withinMs, abandoned = () => false }: { withinMs: number; abandoned?: () => boolean },
): Promise<boolean> {
  const end = Date.now() + withinMs;
  while (Date.now() < end && !abandoned()) {
    if (await check().catch(() => false)) return true;
    await sleep(50);
  }
  return false;
}

export function acceptsConnections(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ port, host, timeout: 3_000 });
    socket.once('timeout', () => socket.destroy(new Error('timeout')));
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
