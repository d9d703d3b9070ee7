// The command line as a process of its own, without the one between that `bin` is: tests run it often.
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const main = ['--conditions=source', '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts')];

export type Ended = { code: number; out: string; err: string };

/** `variables` are set besides those that there are. */
export function runCommand(args: readonly string[], variables: Record<string, string> = {}): Promise<Ended> {
  return new Promise(resolve => {
    execFile(process.execPath, [...main, ...args], { env: { ...process.env, ...variables } }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    );
  });
}

/** With all that it says in one. */
export async function saidBy(
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<{ code: number; out: string }> {
  const { code, out, err } = await runCommand(args, variables);
  return { code, out: out + err };
}
