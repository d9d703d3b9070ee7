import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** Everything a run leaves behind, apart from node_modules. */
export const localDirectory = join(repositoryRoot, '.local');
/** The project's own Node, whatever the machine has. */
export const nodeBinary = join(repositoryRoot, 'node_modules/.bin/node');
