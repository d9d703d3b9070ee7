// Writes what follows from the schemas of the services' environments. `--check` writes nothing and fails when it is
// stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { repositoryRoot } from '../paths.ts';
import { envExample } from './env-example.ts';
import { configurationReference } from './reference.ts';
import { readConfigurations } from './service-variables.ts';

const services = await readConfigurations();
const files = new Map([
  [join(repositoryRoot, 'docs/configuration.md'), configurationReference(services)],
  ...[...services].map(
    ([name, variables]) =>
      [join(repositoryRoot, 'services', name, '.env.example'), envExample(name, variables)] as const,
  ),
]);
const isFresh = (file: string, content: string) => existsSync(file) && readFileSync(file, 'utf8') === content;

if (process.argv.includes('--check')) {
  const stale = [...files].filter(([file, content]) => !isFresh(file, content));
  for (const [file] of stale)
    console.error(`${relative(repositoryRoot, file)} is stale: run \`npm run generate\` and commit what it writes`);
  if (stale.length > 0) process.exit(1);
} else for (const [file, content] of files) writeFileSync(file, content);
console.log(`configuration: ${files.size} generated files: all in order`);
