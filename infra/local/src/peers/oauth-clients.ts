// Programs of others by which people sign in at Reeve, for `npm run test:peers`: fetched on first use, each as it comes
// from its registry. A test starts them, since they have to be told who they are.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Children } from '../children.ts';
import { localDirectory, repositoryRoot } from '../paths.ts';
import { SetupError } from '../setup-error.ts';

/** A command, and what has to be in its environment. */
export type OAuthClient = { command: string; env: Record<string, string> };

type Say = (line: string) => void;
export type Fetching = {
  name: string;
  folder: string;
  wanted: string;
  command: string;
  args: (into: string) => string[];
};

const oauth2Proxy = 'github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6';
const requirements = join(repositoryRoot, 'infra/local/engines/authlib/requirements.txt');

/** Throws SetupError where there is no Go, or it cannot fetch or build it. */
export async function fetchOauth2Proxy(children: Children, say: Say): Promise<OAuthClient> {
  const directory = await fetched(children, say, {
    name: 'oauth2-proxy from the Go module proxy, which takes Go and some minutes',
    folder: 'oauth2-proxy',
    wanted: oauth2Proxy,
    command: 'go',
    args: () => ['install', oauth2Proxy],
  });
  return { command: join(directory, 'oauth2-proxy'), env: {} };
}

/** Throws SetupError where there is no Python 3.11 with pip. */
export async function fetchAuthlib(children: Children, say: Say): Promise<OAuthClient> {
  const directory = await fetched(children, say, {
    name: 'Authlib from PyPI, which takes Python 3.11 or newer with pip',
    folder: 'authlib',
    wanted: readFileSync(requirements, 'utf8'),
    command: 'python3',
    // All that is needed is named, with its version.
    args: into => ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', into, '--requirement', requirements],
  });
  return { command: 'python3', env: { PYTHONPATH: directory, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' } };
}

/** What others wrote for the Model Context Protocol: a suite for authorization servers, and two clients. */
const mcp = [
  '@modelcontextprotocol/conformance@0.2.0-alpha.12',
  '@modelcontextprotocol/sdk@1.32.2',
  '@modelcontextprotocol/client@2.4.0',
];

/** Gives the folder of node_modules that has them. Throws SetupError where npm cannot fetch them. */
export async function fetchMcp(children: Children, say: Say): Promise<string> {
  const directory = await fetched(children, say, {
    name: 'what speaks the Model Context Protocol from npm',
    folder: 'mcp',
    wanted: mcp.join(' '),
    command: 'npm',
    args: into => ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--prefix', into, ...mcp],
  });
  return join(directory, 'node_modules');
}

const directoryOf = (folder: string) => join(localDirectory, 'engines', folder);
const stampOf = (folder: string) => join(directoryOf(folder), '.fetched');

/** Where it is; null where it was not fetched. */
export function whereFetched({ folder, wanted }: Pick<Fetching, 'folder' | 'wanted'>): string | null {
  const stamp = stampOf(folder);
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted ? directoryOf(folder) : null;
}

/** Gives where it is. Throws SetupError. */
export async function fetched(children: Children, say: Say, { name, folder, wanted, command, args }: Fetching) {
  const before = whereFetched({ folder, wanted });
  if (before !== null) return before;
  const directory = directoryOf(folder);
  say(`fetching ${name} …`);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await children
    .finish({
      name: `fetching-${folder}`,
      layer: 'engines',
      command,
      args: args(directory),
      cwd: localDirectory,
      env: { ...process.env, GOBIN: directory },
    })
    .catch((error: Error) => {
      throw new SetupError(`could not fetch ${name}: ${error.message}`);
    });
  writeFileSync(stampOf(folder), wanted);
  return directory;
}
