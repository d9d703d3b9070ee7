/** Work that is done again and again, never twice at a time, and goes on after a failure. `work` returns how much it found to do. */
export function repeatedly(work: () => Promise<number>, everyMs: number, onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  function schedule(ms: number) {
    if (stopped) return;
    timer = setTimeout(() => {
      running = work()
        .catch((error: unknown) => {
          onError(error);
          return 0;
        })
        .then(() => schedule(everyMs));
    }, ms);
  }

  return {
    start: () => schedule(everyMs),
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
