// Writes what of the chart follows from the code: values.schema.json from the variables that services know, and
// topics.json from the contracts. `--check` writes nothing and fails when it is stale.
import { join } from 'node:path';
import { maxMessageBytes, topics } from '@reeve/contracts';
import { writeOrCheck } from '@reeve/contracts/generated-files';
import { readConfigurations } from '@reeve/local/configuration';
import { z } from 'zod';
import { chartDirectory } from './paths.ts';
import { valuesSchema } from './values.ts';

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const declared = Object.fromEntries(
  Object.entries(topics).map(([name, { partitions, retentionMs, compacted, writers }]) => [
    name,
    {
      partitions,
      writers,
      config: {
        'cleanup.policy': compacted ? 'compact' : 'delete',
        'retention.ms': String(retentionMs),
        'max.message.bytes': String(maxMessageBytes),
      },
    },
  ]),
);

writeOrCheck(
  'the Helm chart',
  new Map([
    [
      join(chartDirectory, 'values.schema.json'),
      json(z.toJSONSchema(valuesSchema(await readConfigurations()), { target: 'draft-7' })),
    ],
    [join(chartDirectory, 'topics.json'), json(declared)],
  ]),
);
