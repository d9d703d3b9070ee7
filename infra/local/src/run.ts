// The life of a command that starts processes: whether it is done, fails or is told to stop, what it started is ended
// in order.
import { setTimeout as sleep } from 'node:timers/promises';
import colors from 'picocolors';
import { type Children, createChildren } from './children.ts';
import { SetupError } from './setup-error.ts';

export type Run = {
  children: Children;
  say(line: string): void;
  /** Stopped when the run ends, even when it was still starting then. Gives what was started. */
  own<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T>;
};

type Options = {
  /** Where logs and the list of processes are kept. */
  directory: string;
  /** Of somebody who runs it until they have had enough, it is no failure to stop it. */
  runsUntilStopped?: boolean;
  /** The last thing that is done. */
  leave?: (code: number, say: (line: string) => void) => void;
};

const signalNumbers = { SIGINT: 2, SIGTERM: 15 };
const ownStopWithinMs = 30_000;
/** A terminal, npm and bootstrap.mjs each pass on one and the same Ctrl-C. */
const sameSignalWithinMs = 1_000;

/** Does the work, which gives the exit code, and ends the process. */
export async function run(options: Options, work: (run: Run) => Promise<number>): Promise<never> {
  const { directory, runsUntilStopped = false, leave = () => undefined } = options;
  const say = (line: string) => console.log(`${colors.dim('reeve:')} ${line}`);
  const children = createChildren(directory);
  const owned: Promise<{ stop(): Promise<unknown> }>[] = [];
  const inAHurry = Promise.withResolvers<void>();
  let ending: Promise<never> | undefined;
  let signalledAt: number | undefined;

  function end(code: number): Promise<never> {
    ending ??= (async () => {
      await children.stopAll();
      const stopped = owned.map(async starting => (await starting).stop());
      await Promise.race([Promise.allSettled(stopped), inAHurry.promise, sleep(ownStopWithinMs)]);
      leave(code, say);
      process.exit(code);
    })();
    return ending;
  }

  for (const [signal, number] of Object.entries(signalNumbers))
    process.on(signal, () => {
      if (signalledAt === undefined) {
        signalledAt = Date.now();
        say('stopping …');
        void end(runsUntilStopped ? 0 : 128 + number);
      } else if (Date.now() - signalledAt > sameSignalWithinMs) {
        children.killAll();
        inAHurry.resolve();
      }
    });

  try {
    const code = await work({
      children,
      say,
      own(starting) {
        owned.push(starting);
        return starting;
      },
    });
    return await end(code);
  } catch (error) {
    // Whatever is still under way fails when it is stopped, and nobody has to be told.
    if (!ending) {
      const what = error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error);
      console.error(`${colors.red('reeve:')} ${what}`);
    }
    return end(1);
  }
}
