// Benchmarks that compare a function of ours with the bare library, each in a process of its own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';

const run = promisify(execFile);

type Beside = { ours: number; bare: number; bytes?: number };

/** `script`, from the root of the repository, prints how many a second there are of each, as JSON. */
export async function runBeside(script: string): Promise<Beside> {
  const { stdout } = await run(nodeBinary, ['--conditions=source', join(repositoryRoot, script)]);
  return JSON.parse(stdout) as Beside;
}
