// A process beside this one, that does one task after the other.
import { fork } from 'node:child_process';
import { extname } from 'node:path';
import { z } from 'zod';

export type Work = {
  /** Whose it is. */
  of: string;
  /** URL of a module that exports `perform`. */
  module: string;
  /** Passed on as JSON. */
  task: unknown;
  withinMs: number;
};

const performed = z.object({
  answer: z.unknown(),
  /** Whether it may be given another task: no, where this one may have left something behind. */
  again: z.boolean(),
});

/** What the module of a task exports as `perform`. Where it throws, the process ends. */
export type Perform<T> = (task: T) => Promise<z.infer<typeof performed>>;

export class IsolationError extends Error {
  readonly problem: 'ended' | 'late' | 'busy';

  constructor(problem: IsolationError['problem'], detail: string) {
    super(detail);
    this.name = 'IsolationError';
    this.problem = problem;
  }
}

/** `.ts` where the sources run, `.js` where what was built of them does. */
const extension = extname(import.meta.url);
const main = new URL(`./isolated-main${extension}`, import.meta.url);

/** The limits are V8's, for its heap; buffers are limited by who reads from a socket. */
const flags = [
  '--max-old-space-size=128',
  '--max-semi-space-size=4',
  '--disable-warning=TimeoutNegativeWarning',
  ...(extension === '.ts' ? ['--conditions=source', '--disable-warning=ExperimentalWarning'] : []),
];

/** Of our environment: whose certificates to trust. Nothing else is needed there, least of all a secret. */
const passedOn = ['NODE_EXTRA_CA_CERTS', 'NODE_USE_SYSTEM_CA', 'SSL_CERT_FILE', 'SSL_CERT_DIR'];

const longestLastWords = 2_000;

export type IsolatedProcess = ReturnType<typeof startIsolatedProcess>;

export function startIsolatedProcess({ idleMs }: { idleMs: number }) {
  const env = Object.fromEntries(passedOn.map(name => [name, process.env[name]]));
  const child = fork(main, { execArgv: flags, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  let isOver = false;
  let idle: NodeJS.Timeout | undefined;
  let lastWords = '';
  child.stderr?.on('error', () => undefined);
  child.stderr?.on('data', (words: Buffer) => {
    lastWords = (lastWords + words.toString('utf8')).slice(-longestLastWords);
  });

  const ended = new Promise<string>(resolve => {
    const over = (how: string) => {
      isOver = true;
      clearTimeout(idle);
      resolve(`it ended by itself (${how}): ${lastWords}`);
    };
    // It could not be started, or a message to it could not be sent.
    child.on('error', ({ message }) => over(message));
    child.on('close', (code, signal) => over(signal ?? `code ${code}`));
  });

  /** Of the task that is under way. */
  let fail: (error: IsolationError) => void = () => undefined;
  void ended.then(how => fail(new IsolationError('ended', how)));

  function end(): void {
    isOver = true;
    clearTimeout(idle);
    child.kill('SIGKILL');
  }

  return {
    ended,
    hasEnded: () => isOver,
    end,

    /** Rejects with IsolationError when it ended, or did not answer in time. */
    async perform({ module, task, withinMs }: Omit<Work, 'of'>): Promise<z.infer<typeof performed>> {
      clearTimeout(idle);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      fail = reject;
      const late = setTimeout(() => reject(new IsolationError('late', 'it did not answer in time')), withinMs);
      child.once('message', resolve);
      child.send({ module, task });
      try {
        return performed.parse(await promise);
      } finally {
        clearTimeout(late);
        idle = setTimeout(end, idleMs).unref();
      }
    },
  };
}
