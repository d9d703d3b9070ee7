// `reeve audit verify <file>`: checks an export with nothing of Reeve at hand. Exit code 0 when it holds, 1 when something is wrong
// with it, 2 when it could not be read.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { readChained, readOcsf, type Verification, verifyExport } from '@reeve/audit-log';
import { Command, Option } from 'commander';

const readers = { ndjson: readChained, ocsf: readOcsf };

export function verifyCommand(): Command {
  return new Command('verify')
    .showHelpAfterError()
    .description(
      'Verify an exported audit log offline and name the first record that is altered, missing or out of order',
    )
    .argument('<file>', 'the export, as NDJSON; gzip by the ending .gz')
    .addOption(
      new Option('--format <format>', 'what the export was asked for').choices(['ndjson', 'ocsf']).default('ndjson'),
    )
    .option('--json', 'print the result as JSON')
    .action(async (file: string, { format, json }: { format: keyof typeof readers; json?: true }) => {
      try {
        const verification = await verifyExport(linesOf(file), readers[format]);
        console.log(json ? JSON.stringify(verification) : describe(verification));
        // An export that holds nothing proves nothing.
        process.exitCode = verification.finding || verification.records === 0 ? 1 : 0;
      } catch (error) {
        console.error(`reeve: ${file} could not be read: ${error instanceof Error ? error.message : String(error)}`);
        process.exitCode = 2;
      }
    });
}

async function* linesOf(file: string): AsyncGenerator<string> {
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? raw.pipe(createGunzip()) : raw;
  // A stream's failure does not reach readline by itself.
  const failed = new Promise<never>((_, reject) => {
    raw.once('error', reject);
    input.once('error', reject);
  });
  failed.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([lines.next(), failed]);
    if (next.done) return;
    yield next.value;
  }
}

const limits =
  'Nothing between the first and the last record of each chain is altered, missing or out of order. That nothing is missing after the last is not shown by this.';

function describe({ records, chains, finding }: Verification): string {
  const heads = chains.map(
    ({ chain, first, last, head }) => `  ${chain}: records ${first} to ${last}, head ${head.slice(0, 16)}…`,
  );
  if (!finding && records === 0) return 'NOT verified: the file holds no records';
  if (!finding) return [`verified: ${records} records in ${chains.length} chains`, ...heads, limits].join('\n');
  const place = finding.chain === null ? '' : ` (chain ${finding.chain}, record ${finding.sequence})`;
  return [
    `NOT verified: line ${finding.line}${place}: ${finding.problem}: ${finding.detail}`,
    `${records} records before it hold`,
  ].join('\n');
}
