// How a process ends that met an error nobody foresaw: at once, with an exit code of its own, and with a line in its
// log. What it held in memory may be wrong, so nothing that is under way gets another chance; what must not be lost is
// in the store, and whoever starts next goes on from there.
import { writeSync } from 'node:fs';
import { createLogger, type LogDestination } from './logger.ts';
import { ownAttributes } from './telemetry.ts';

/**
 * EX_SOFTWARE of sysexits.h. Whoever restarts the process can tell it from a bad configuration (78) and from what was
 * killed (128 and more).
 */
const exitCrashed = 70;

const logWithinMs = 1_000;
const lookAgainMs = 20;

/**
 * Whether all of it went in time. Whoever reads the log may be slow, or stand still; the restart does not wait for
 * them.
 */
function writeInTime(fd: number, text: string): boolean {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let rest = Buffer.from(text);
  for (const giveUpAt = Date.now() + logWithinMs; Date.now() < giveUpAt; Atomics.wait(pause, 0, 0, lookAgainMs)) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
    if (rest.length === 0) return true;
  }
  return false;
}

/** Returns what ends the process, for errors that are caught and leave nothing else to do. */
export function exitWhenItCrashes({ service, level }: { service: string; level: string }, logged: LogDestination) {
  let isRead = false;
  const destination = { write: (line: string) => void (isRead = writeInTime(logged.fd, line)) };
  const lastWords = createLogger(service, level, destination).child(ownAttributes);

  function exit(error: unknown, message: string, code: number): never {
    try {
      lastWords.fatal({ error }, message);
      logged.end(isRead ? logWithinMs : 0);
    } finally {
      process.exit(code);
    }
  }

  // An unhandled rejection comes here as well, and says so.
  process.on('uncaughtException', (error, origin) =>
    exit(error, origin === 'unhandledRejection' ? 'unhandled rejection' : 'uncaught exception', exitCrashed),
  );
  return exit;
}
