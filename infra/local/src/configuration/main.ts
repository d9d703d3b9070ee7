// Writes what follows from the schemas of the services' environments. `--check` writes nothing and fails when it is
// stale.
import { join } from 'node:path';
import { writeOrCheck } from '@reeve/contracts/generated-files';
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
writeOrCheck('configuration', files);
