// What a process left behind that could not end its children.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { SetupError } from './setup-error.ts';
import { waitFor } from './wait-for.ts';

/** A process, told from a later one that the system gave the same number. */
type Process = { pid: number; began: string | null };

/** As children.ts lists them. */
export type Left = { supervisor: Process; children: (Process & { name: string })[] };

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

/** In whatever words the system has for it; null for one that is not there. */
export function beginningOf(pid: number): string | null {
  try {
    if (process.platform !== 'linux')
      return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
    // proc(5): behind the name of the command, which may hold anything, the twentieth.
    const [, fields = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return fields.split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

/** Ends the processes of a list and returns their names. Throws SetupError while the one that started them is alive. */
export async function endLeftovers(list: string): Promise<string[]> {
  if (!existsSync(list)) return [];
  const { supervisor, children } = JSON.parse(readFileSync(list, 'utf8')) as Left;
  const { pid: of, began: since } = supervisor;
  if (isAlive(of) && beginningOf(of) === since)
    throw new SetupError(`it runs already (process ${of}). Stop it with Ctrl-C where it runs, or with: kill ${of}`);
  // The first of a group may have ended before the others.
  const left = children.filter(({ pid, began }) => isAlive(-pid) && [began, null].includes(beginningOf(pid)));
  for (const { pid } of left) process.kill(-pid, 'SIGKILL');
  await waitFor(() => Promise.resolve(left.every(({ pid }) => !isAlive(-pid))), { withinMs: endWithinMs });
  rmSync(list);
  return left.map(({ name }) => name);
}
