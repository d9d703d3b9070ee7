// The command line, as a process of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';

export function reeve(
  parameters: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; out: string }> {
  return new Promise(resolve => {
    const entry = join(repositoryRoot, 'packages/cli/bin/reeve.mjs');
    execFile(nodeBinary, [entry, ...parameters], { env }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr }),
    );
  });
}
