// Child processes: started in groups of their own, logged to files, stopped in order, and none left behind. Their ids are kept
// in a file, so that after a crash of the parent the next start finds and ends them.
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from './setup-error.ts';
import { waitFor } from './wait-for.ts';

export type ChildSpec = {
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  env: Record<string, string | undefined>;
};

export type Child = {
  name: string;
  pid: number;
  logFile: string;
  exited: Promise<number | null>;
  hasExited(): boolean;
  /** SIGTERM, and SIGKILL when it takes too long. */
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill(): Promise<void>;
  /** Why it ended, as far as its log says: the line it wrote for people, or else its last lines. */
  lastWords(): string;
};

type Left = { supervisor: number; children: { name: string; pid: number }[] };

const stopWithinMs = 20_000;

/** A negative number asks for a group. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

export type Children = ReturnType<typeof createChildren>;

export function createChildren(directory: string) {
  const running = new Set<Child>();
  const pidFile = join(directory, 'processes.json');
  mkdirSync(join(directory, 'logs'), { recursive: true });

  // Until something of ours runs, the file may be that of another run that is alive.
  let fileIsOurs = false;

  function remember() {
    fileIsOurs = true;
    const left: Left = { supervisor: process.pid, children: [...running].map(({ name, pid }) => ({ name, pid })) };
    writeFileSync(pidFile, JSON.stringify(left));
  }

  return {
    start({ name, command, args, cwd, env }: ChildSpec): Child {
      const logFile = join(directory, 'logs', `${name}.log`);
      mkdirSync(dirname(logFile), { recursive: true });
      const log = openSync(logFile, 'a');
      const started: ChildProcess = spawn(command, [...args], {
        cwd,
        env,
        stdio: ['ignore', log, log],
        detached: true,
      });
      closeSync(log);
      let over = false;
      const exited = new Promise<number | null>(resolve => {
        const end = (code: number | null) => {
          over = true;
          running.delete(child);
          remember();
          resolve(code);
        };
        started.on('exit', end);
        started.on('error', () => end(127));
      });
      const signal = (one: NodeJS.Signals) => {
        try {
          if (!over && started.pid !== undefined) process.kill(-started.pid, one);
        } catch {
          // It ended in between.
        }
      };
      const child: Child = {
        name,
        pid: started.pid ?? -1,
        logFile,
        exited,
        hasExited: () => over,
        async stop() {
          signal('SIGTERM');
          const waiting = new AbortController();
          const late = sleep(stopWithinMs, 'late', { signal: waiting.signal }).catch(() => 'in time');
          if ((await Promise.race([exited, late])) === 'late') signal('SIGKILL');
          waiting.abort();
          await exited;
        },
        async kill() {
          signal('SIGKILL');
          await exited;
        },
        lastWords() {
          const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n');
          return lines.findLast(line => line.startsWith(`${name}: `)) ?? lines.slice(-5).join('\n');
        },
      };
      running.add(child);
      remember();
      return child;
    },

    /** Ends what an earlier run left behind and returns the names. Throws SetupError while that run is alive. */
    async endLeftovers(): Promise<string[]> {
      if (!existsSync(pidFile)) return [];
      const { supervisor, children } = JSON.parse(readFileSync(pidFile, 'utf8')) as Left;
      if (isAlive(supervisor))
        throw new SetupError(
          `it runs already (process ${supervisor}). Stop it with Ctrl-C where it runs, or with: kill ${supervisor}`,
        );
      const left = children.filter(({ pid }) => isAlive(-pid));
      for (const { pid } of left) process.kill(-pid, 'SIGKILL');
      await waitFor(() => Promise.resolve(left.every(({ pid }) => !isAlive(-pid))), { withinMs: 5_000 });
      rmSync(pidFile);
      return left.map(({ name }) => name);
    },

    async stopAll(): Promise<void> {
      await Promise.all([...running].map(child => child.stop()));
      if (fileIsOurs) rmSync(pidFile, { force: true });
    },
  };
}
