// What a process left behind that could not end its children.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { SetupError } from './setup-error.ts';
import { waitFor } from './wait-for.ts';

/** As children.ts lists them. */
export type Left = { supervisor: number; children: { name: string; pid: number }[] };

const endWithinMs = 5_000;

/** A negative number asks for a group. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Ends the processes of a list and returns their names. Throws SetupError while the one that started them is alive. */
export async function endLeftovers(list: string): Promise<string[]> {
  if (!existsSync(list)) return [];
  const { supervisor, children } = JSON.parse(readFileSync(list, 'utf8')) as Left;
  if (isAlive(supervisor))
    throw new SetupError(
      `it runs already (process ${supervisor}). Stop it with Ctrl-C where it runs, or with: kill ${supervisor}`,
    );
  const left = children.filter(({ pid }) => isAlive(-pid));
  for (const { pid } of left) process.kill(-pid, 'SIGKILL');
  await waitFor(() => Promise.resolve(left.every(({ pid }) => !isAlive(-pid))), { withinMs: endWithinMs });
  rmSync(list);
  return left.map(({ name }) => name);
}
