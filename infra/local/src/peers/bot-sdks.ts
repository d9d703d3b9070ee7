// What bots are written with by others, for `npm run test:peers`: each as it comes from its registry.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Children } from '../children.ts';
import { repositoryRoot } from '../paths.ts';
import { fetched, type OAuthClient } from './oauth-clients.ts';

type Say = (line: string) => void;

const packages = [
  '@microsoft/agents-hosting@1.8.1',
  '@microsoft/agents-hosting-express@1.8.1',
  'botbuilder@4.23.3',
  'botbuilder-dialogs@4.23.3',
  'botframework-webchat@4.18.1',
  'express@5.3.0',
];
const requirements = join(repositoryRoot, 'infra/local/engines/agents-python/requirements.txt');

/** Gives the folder of node_modules that has them. Throws SetupError where npm cannot fetch them. */
export async function fetchBotSdks(children: Children, say: Say): Promise<string> {
  const how = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save', '--legacy-peer-deps'];
  const directory = await fetched(children, say, {
    name: 'the SDKs of bots and Web Chat from npm',
    folder: 'bot-sdks',
    wanted: packages.join(' '),
    command: 'npm',
    args: into => ['install', ...how, '--prefix', into, ...packages],
  });
  return join(directory, 'node_modules');
}

/** Throws SetupError where there is no Python 3.11 with pip. */
export async function fetchAgentsPython(children: Children, say: Say): Promise<OAuthClient> {
  const directory = await fetched(children, say, {
    name: 'the Agents SDK for Python from PyPI, which takes Python 3.11 or newer with pip',
    folder: 'agents-python',
    wanted: readFileSync(requirements, 'utf8'),
    command: 'python3',
    // All that is needed is named, with its version.
    args: into => ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', into, '--requirement', requirements],
  });
  return { command: 'python3', env: { PYTHONPATH: directory, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' } };
}
