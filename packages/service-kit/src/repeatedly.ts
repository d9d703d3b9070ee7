/** Work that is done again and again, never twice at a time, and goes on after a failure. */
export function repeatedly(work: () => Promise<unknown>, everyMs: number, onError: (error: unknown) => void) {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let stopped = false;

  function schedule() {
    if (stopped) return;
    timer = setTimeout(() => {
      running = work()
        .then(() => undefined, onError)
        .finally(schedule);
    }, everyMs);
  }

  return {
    start: schedule,

    /** For work that takes long, and may end early. */
    isStopped: () => stopped,

    /** Lets what is under way end. */
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
