/** Work that is done in rounds, one at a time. Each says in how many milliseconds the next one is due; none rejects. */
export function createRounds(round: () => Promise<number>) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  function schedule(ms: number) {
    if (stopped) return;
    timer = setTimeout(() => {
      running = round().then(schedule);
    }, ms);
  }

  return {
    start: (firstInMs = 0) => schedule(firstInMs),

    /** For work that takes long, and may end early. */
    isStopped: () => stopped,

    /** Lets the round that is under way end. */
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
