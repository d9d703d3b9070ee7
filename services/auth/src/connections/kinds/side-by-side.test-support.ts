// How many a second there are of ours, and of what a bare library does of the same, in turns within one process.

/** What is prepared before the time is taken, and what takes it. */
type Begin = () => Promise<() => Promise<unknown>>;

/** One turn of each comes before those that count. */
export async function sideBySide(
  { ours, bare }: { ours: Begin; bare: Begin },
  { rounds, each }: { rounds: number; each: number },
): Promise<{ ours: number; bare: number }> {
  async function secondsOf(begin: Begin): Promise<number> {
    const waiting = await Promise.all(Array.from({ length: each }, begin));
    const began = performance.now();
    for (const complete of waiting) await complete();
    return (performance.now() - began) / 1_000;
  }

  await secondsOf(ours);
  await secondsOf(bare);
  let [oursSeconds, bareSeconds] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    oursSeconds += await secondsOf(ours);
    bareSeconds += await secondsOf(bare);
  }
  const total = rounds * each;
  return { ours: total / oursSeconds, bare: total / bareSeconds };
}
