// Child processes: started in groups of their own, logged to files, stopped in order, and none left behind. Their ids
// are kept in a file, so that others can end them after a crash of the parent (leftovers.ts).
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beginningOf, type Left } from './leftovers.ts';
import { SetupError } from './setup-error.ts';
import { whereItIsSlow } from './wait-for.ts';

/** In the order in which they are ended: each uses those after it. */
const layers = ['tests', 'system', 'engines'] as const;

export type ChildSpec = {
  name: string;
  layer: (typeof layers)[number];
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string | undefined>;
  /** Where its output goes, when that is not its log; what it complains of is shown then. */
  output?: number | 'ignore';
};

export type Child = Pick<ChildSpec, 'name' | 'layer'> & {
  pid: number;
  logFile: string;
  exited: Promise<number | null>;
  /** As `exited`, when nobody here stopped or killed it; otherwise it never resolves. */
  endedByItself: Promise<number | null>;
  hasExited(): boolean;
  /** SIGTERM, and SIGKILL when it takes too long. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Why it ended, as far as its log says: the line it wrote for people, or else its last lines. */
  lastWords(): string;
};

const stopWithinMs = 20_000;

/** For what a test starts while `npm test` runs: lists of processes are kept where that finds them. */
export const listsVariable = 'REEVE_TEST_PROCESS_LISTS';

export type Children = ReturnType<typeof createChildren>;

export function createChildren(directory: string) {
  /** With when it began. */
  const running = new Map<Child, string | null>();
  const supervisor = { pid: process.pid, began: beginningOf(process.pid) };
  const lists = process.env[listsVariable];
  const list = lists === undefined ? join(directory, 'processes.json') : join(lists, `${randomUUID()}.json`);
  mkdirSync(join(directory, 'logs'), { recursive: true });

  // Until something of ours runs, the file may be that of another run that is alive.
  let fileIsOurs = false;
  let stopping = false;

  function remember() {
    fileIsOurs = true;
    const left: Left = { supervisor, children: [...running].map(([{ name, pid }, began]) => ({ name, pid, began })) };
    writeFileSync(list, JSON.stringify(left));
  }

  /** Throws once everything is being stopped: what began before that must not leave something behind. */
  function start({ name, layer, command, args, cwd, env, output }: ChildSpec): Child {
    if (stopping) throw new SetupError(`${name} was not started, since everything is being stopped`);
    const logFile = join(directory, 'logs', `${name}.log`);
    mkdirSync(dirname(logFile), { recursive: true });
    const log = openSync(logFile, 'a');
    const started = spawn(command, [...args], {
      cwd,
      env,
      stdio: output === undefined ? ['ignore', log, log] : ['ignore', output, 'inherit'],
      detached: true,
    });
    closeSync(log);
    const { pid } = started;
    started.on('error', () => undefined);
    if (pid === undefined) throw new SetupError(`${name} could not be started: ${command}`);
    let over = false;
    let isTold = false;
    const exit = Promise.withResolvers<number | null>();
    const ownEnd = Promise.withResolvers<number | null>();
    const end = (code: number | null) => {
      over = true;
      running.delete(child);
      remember();
      exit.resolve(code);
      if (!isTold) ownEnd.resolve(code);
    };
    started.on('exit', end);
    const signal = (one: NodeJS.Signals) => {
      try {
        if (!over) process.kill(-pid, one);
      } catch {
        // It ended in between.
      }
    };
    const child: Child = {
      name,
      layer,
      pid,
      logFile,
      exited: exit.promise,
      endedByItself: ownEnd.promise,
      hasExited: () => over,
      async stop() {
        isTold = true;
        signal('SIGTERM');
        // One that is paused would not see it.
        signal('SIGCONT');
        const waiting = new AbortController();
        const late = sleep(stopWithinMs, 'late', { signal: waiting.signal }).catch(() => 'in time');
        if ((await Promise.race([exit.promise, late])) === 'late') signal('SIGKILL');
        waiting.abort();
        await exit.promise;
      },
      async kill() {
        isTold = true;
        signal('SIGKILL');
        await exit.promise;
      },
      lastWords() {
        const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
        // Of several instances each has a number, which it does not know itself.
        const speaker = `${name.replace(/-\d+$/, '')}: `;
        return lines.findLast(line => line.startsWith(speaker)) ?? lines.slice(-5).join('\n');
      },
    };
    running.set(child, beginningOf(pid));
    remember();
    return child;
  }

  return {
    start,

    /** Runs a command to its end. Throws SetupError when that is a failure. */
    async finish(spec: ChildSpec): Promise<void> {
      const child = start(spec);
      const code = await child.exited;
      if (code !== 0) throw new SetupError(`${spec.command} failed (code ${code}): ${child.lastWords()}`);
    },

    async stopAll(): Promise<void> {
      stopping = true;
      for (const layer of layers)
        await Promise.all([...running.keys()].filter(child => child.layer === layer).map(child => child.stop()));
      if (fileIsOurs) rmSync(list, { force: true });
    },

    /** SIGKILL to everything at once. */
    killAll(): void {
      stopping = true;
      for (const child of running.keys()) void child.kill();
    },
  };
}

/** Of processes that should be there until they are stopped. */
export function createDeathWatch() {
  const { promise: died, reject } = Promise.withResolvers<never>();
  // One may end while nobody waits for that.
  died.catch(() => undefined);

  return {
    /** Rejects with a SetupError when one of them ends by itself. */
    died,

    watch(child: Child): Child {
      void child.endedByItself.then(code =>
        reject(
          new SetupError(`${child.name} ended (code ${code}); its log is ${child.logFile}:\n${child.lastWords()}`),
        ),
      );
      return child;
    },
  };
}

/** Why it is not there, and what to do. */
export function notUp(child: Child): SetupError {
  const what = child.hasExited() ? 'ended while it started' : `was not ready ${whereItIsSlow}`;
  return new SetupError(`${child.name} ${what}. Its log is ${child.logFile}:\n${child.lastWords()}`);
}
