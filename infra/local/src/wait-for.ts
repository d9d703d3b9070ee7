import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

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
