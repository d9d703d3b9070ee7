// Writes docs/setup. `--check` writes nothing and fails when it is stale.
import { fileURLToPath } from 'node:url';
import { writeOrCheck } from '@reeve/contracts/generated-files';
import { guidePages } from './guide-pages.ts';

const directory = fileURLToPath(new URL('../../../../docs/setup/', import.meta.url));
writeOrCheck('setup guides', new Map([...guidePages()].map(([name, content]) => [directory + name, content])));
