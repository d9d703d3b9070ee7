// What `npm start`, `npm test` and the like run first, on whatever Node the machine has: install what the lockfile
// says when that has not happened yet, then go on with the project's own Node (the dev dependency `node`). Without a
// command it installs and nothing else.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const node = join(root, 'node_modules/.bin/node');
const stamp = join(root, 'node_modules/.reeve-installed');
const [command, ...rest] = process.argv.slice(2);

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');
if (!existsSync(node) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  console.log('reeve: installing dependencies (npm ci) …');
  const install = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (install.error || install.status !== 0) {
    console.error(
      'reeve: the installation failed. npm has to be on the PATH and its registry reachable; then run this again.',
    );
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}
if (command === undefined) process.exit(0);
mkdirSync(join(root, '.local'), { recursive: true });
const env = {
  ...process.env,
  NODE_COMPILE_CACHE: join(root, '.local/compile-cache'),
  PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}`,
};
const entry = join(root, command === 'bench' ? 'test/src/bench/bench.ts' : `infra/local/src/commands/${command}.ts`);
const flags = [
  '--conditions=source',
  '--disable-warning=ExperimentalWarning',
  // kafkajs hands setTimeout a time in the past; harmless, and not ours to mend.
  '--disable-warning=TimeoutNegativeWarning',
];
const child = spawn(node, [...flags, entry, ...rest], { cwd: root, stdio: 'inherit', env });
// It stops everything in order; this process waits for it. What comes from a terminal reaches it twice, and counts
// once.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
