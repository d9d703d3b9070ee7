// A project of somebody else that has installed the SDK: from the archive that would be published, with what that says
// it needs and nothing else of ours.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';

const run = promisify(execFile);
const own = join(repositoryRoot, 'packages/sdk');

export type Project = Awaited<ReturnType<typeof newProject>>;

/** `needs` are packages that its own code imports, as this repository has them installed. */
export async function newProject(needs: readonly string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-sdk-'));
  const bin = join(repositoryRoot, 'node_modules/.bin');
  const modules = join(directory, 'node_modules');
  const built = join(directory, 'built');
  await run(join(bin, 'tsdown'), ['--out-dir', built], { cwd: own });
  const { stdout } = await run('npm', ['pack', built, '--json', '--pack-destination', directory], { cwd: directory });
  const archive = Object.values(JSON.parse(stdout) as Record<string, { filename: string }>)[0]?.filename ?? '';
  const installed = join(modules, '@reeve/sdk');
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', join(directory, archive), '-C', installed, '--strip-components=1']);
  rmSync(built, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of Object.keys(manifest.dependencies)) link(name, modules, own);
  for (const name of needs) link(name, modules, join(repositoryRoot, 'test'));
  writeFileSync(join(directory, 'package.json'), '{ "type": "module", "private": true }\n');

  return {
    directory,
    manifest,
    /** A folder of packages of somebody else's, where they were installed. */
    take: (folder: string) => symlinkSync(folder, join(modules, basename(folder))),

    write: (file: string, content: string) => writeFileSync(join(directory, file), content),

    /** With the strictest settings that somebody may have, without the declarations of others being left out. */
    async typecheck(): Promise<string> {
      const compilerOptions = {
        module: 'nodenext',
        target: 'es2024',
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        types: ['node'],
      };
      writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
      return run(join(bin, 'tsc'), ['-p', directory]).then(
        () => '',
        (error: { stdout: string }) => error.stdout,
      );
    },

    command: (file: string, ...args: string[]) => ({
      command: nodeBinary,
      args: ['--disable-warning=ExperimentalWarning', join(directory, file), ...args],
    }),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function link(name: string, modules: string, from: string): void {
  const place = createRequire(join(from, 'package.json'))
    .resolve.paths(name)
    ?.map(one => join(one, name, 'package.json'))
    .find(one => isFile(one));
  if (place === undefined) throw new Error(`${name} is not installed`);
  mkdirSync(dirname(join(modules, name)), { recursive: true });
  symlinkSync(dirname(place), join(modules, name));
}

function isFile(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}

/** The programs that a document holds: blocks whose first line names language and file. */
export function samplesIn(document: string): Map<string, string> {
  const text = readFileSync(join(repositoryRoot, document), 'utf8');
  const blocks = text.matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...blocks].map(([, name = '', content = '']) => [name, content]));
}
