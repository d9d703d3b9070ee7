// What runs in an isolated process. An error that nobody catches ends it, as it should.
import type { Perform } from './isolated-process.ts';

type Module = { perform: Perform<unknown> };

// The process that started it is gone.
process.once('disconnect', () => process.exit());
// These signals go to the whole group. The process that started this one lets its task end, and then ends it.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => undefined);

process.on('message', ({ module, task }: { module: string; task: unknown }) => void answer(module, task));

async function answer(module: string, task: unknown): Promise<void> {
  const { perform } = (await import(module)) as Module;
  process.send?.(await perform(task));
}
