// Work for which a stranger's words go through a parser that is not ours to mend, in processes beside this one. Each
// does one task at a time: when it ends by itself, or is ended because it takes too long, that task fails and no other.
// Of one tenant one task is done at a time, and tenants with a task that took long lately have half of the processes
// between them: those whose receivers hang keep nobody waiting whose receivers answer.
//
// Not in threads: V8 ends the whole process for one allocation that is too large for a thread's heap, and buffers are
// not counted by a thread's limits.
import { LRUCache } from 'lru-cache';
import { type IsolatedProcess, IsolationError, startIsolatedProcess, type Work } from './isolated-process.ts';

type Options = {
  /** Processes at a time. */
  most?: number;
  idleMs?: number;
  /** A task that takes longer makes its tenant slow, for a while. */
  slowMs?: number;
  /** Told of each process that ended by itself. */
  onError: (error: unknown) => void;
};

/** Tasks of one that wait; more are refused with `busy`. */
const mostWaiting = 8;
const slowForMs = 600_000;
const mostRemembered = 10_000;

export type IsolatedProcesses = Pick<ReturnType<typeof createIsolatedProcesses>, 'perform'>;

export function createIsolatedProcesses({ most = 4, idleMs = 60_000, slowMs = 5_000, onError }: Options) {
  const all = new Set<IsolatedProcess>();
  const idle: IsolatedProcess[] = [];
  const atWork = new Set<string>();
  const waiting: { of: string; begin: () => void }[] = [];
  const slow = new LRUCache<string, true>({ max: mostRemembered, ttl: slowForMs });
  let isStopped = false;

  const slowAmong = (tenants: Iterable<string>) => [...tenants].filter(of => slow.has(of)).length;

  const mayBegin = (of: string) =>
    atWork.size < most && !atWork.has(of) && !(slow.has(of) && slowAmong(atWork) >= most / 2);

  async function takeTurn(of: string): Promise<void> {
    if (mayBegin(of)) return void atWork.add(of);
    const tenants = waiting.map(one => one.of);
    const before = tenants.filter(one => one === of).length;
    // Whoever waits has a turn of the runner, which others need.
    const isSlowTooMany = slow.has(of) && slowAmong(tenants) >= most / 2;
    if (before >= mostWaiting || isSlowTooMany) throw new IsolationError('busy', 'too many are waiting already');
    await new Promise<void>(resolve => waiting.push({ of, begin: resolve }));
  }

  function passTurn(of: string): void {
    atWork.delete(of);
    const at = waiting.findIndex(({ of: next }) => mayBegin(next));
    const [next] = at < 0 ? [] : waiting.splice(at, 1);
    if (!next) return;
    atWork.add(next.of);
    next.begin();
  }

  function idleOrNew(): IsolatedProcess {
    for (let one = idle.pop(); one; one = idle.pop()) if (!one.hasEnded()) return one;
    const started = startIsolatedProcess({ idleMs });
    all.add(started);
    void started.ended.then(() => all.delete(started));
    return started;
  }

  async function performIn(one: IsolatedProcess, work: Work): Promise<unknown> {
    try {
      const { answer, again } = await one.perform(work);
      if (again) idle.push(one);
      else one.end();
      return answer;
    } catch (error) {
      one.end();
      if (!isStopped && error instanceof IsolationError && error.problem === 'ended') onError(error);
      throw error;
    }
  }

  return {
    /** What the module answers. Rejects with IsolationError. */
    async perform(work: Work): Promise<unknown> {
      await takeTurn(work.of);
      const began = performance.now();
      try {
        if (isStopped) throw new IsolationError('ended', 'nothing is begun any more');
        return await performIn(idleOrNew(), work);
      } finally {
        if (performance.now() - began > slowMs) slow.set(work.of, true);
        passTurn(work.of);
      }
    },

    /** Ends them, and what they do. */
    stop(): void {
      isStopped = true;
      for (const one of all) one.end();
    },
  };
}
