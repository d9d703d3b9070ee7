// A real mongod on this machine: by MONGOD_BINARY, on the PATH, or downloaded by mongodb-memory-server-core where its host
// can be reached. Null where there is none.
import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MongoBinary } from 'mongodb-memory-server-core';
import { MongoBinaryDownloadUrl } from 'mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js';
import type { Child, Children } from '../children.ts';
import { localDirectory } from '../paths.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections, waitFor } from '../wait-for.ts';

const version = '8.0.4';
const reachableWithinMs = 3_000;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function findMongod(environment: NodeJS.ProcessEnv): Promise<{ binary: string; how: string } | null> {
  const given = environment['MONGOD_BINARY'];
  if (given !== undefined && given !== '') {
    if (!isExecutable(given)) throw new SetupError(`MONGOD_BINARY is not an executable file: ${given}`);
    return { binary: given, how: 'MONGOD_BINARY' };
  }
  const onPath = (environment['PATH'] ?? '')
    .split(delimiter)
    .map(directory => join(directory, 'mongod'))
    .find(isExecutable);
  if (onPath !== undefined) return { binary: onPath, how: 'found on the PATH' };
  const downloadDir = join(localDirectory, 'engines/mongod');
  try {
    const { platform, arch } = process;
    const url = await new MongoBinaryDownloadUrl({ version, platform, arch }).getDownloadUrl();
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(reachableWithinMs) });
    return { binary: await MongoBinary.getPath({ version, downloadDir }), how: 'downloaded by mongodb-memory-server' };
  } catch {
    return null;
  }
}

export async function startMongod(
  children: Children,
  { binary, port, directory }: { binary: string; port: number; directory: string },
): Promise<Child> {
  const data = join(directory, 'mongodb');
  mkdirSync(data, { recursive: true });
  const child = children.start({
    name: 'mongodb',
    command: binary,
    args: ['--dbpath', data, '--port', String(port), '--bind_ip', '127.0.0.1', '--quiet'],
    cwd: directory,
    env: process.env,
  });
  if (await waitFor(() => acceptsConnections(port), { withinMs: 60_000, abandoned: child.hasExited })) return child;
  await child.kill();
  throw new SetupError(`mongod did not start on port ${port}; its log is ${child.logFile}`);
}
