// `reeve audit verify`: checks an exported log, or the topic, with nothing of Reeve at hand but its public keys. Exit code 0 when it holds, 1 when
// something is wrong with it, 2 when it could not be read.
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import {
  consistencyProofSchema,
  createVerifier,
  type FormatName,
  formats,
  inclusionProofSchema,
  type KeySet,
  type Verification,
  type Verifier,
  verifyConsistency,
  verifyExport,
  verifyInclusion,
} from '@reeve/audit-log';
import { createEventBus } from '@reeve/event-bus';
import { Command, Option } from 'commander';
import { z } from 'zod';

type Options = {
  format: FormatName;
  keys?: string;
  checkpoint: string[];
  topic?: string;
  brokers: string;
  tenant?: string;
  json?: true;
};

const keySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })).min(1) });

const keysOption = () =>
  new Option('--keys <file>', 'the public keys: the JWK Set that /.well-known/reeve-audit-keys serves');

export function verifyCommand(): Command {
  return new Command('verify')
    .showHelpAfterError()
    .description('Verify an audit log offline and name the first record that is altered, missing or out of order')
    .argument('[file]', 'an export; gzip by the ending .gz')
    .addOption(
      new Option('--format <format>', 'what the export was asked for').choices(Object.keys(formats)).default('ndjson'),
    )
    .addOption(keysOption())
    .option(
      '--checkpoint <file…>',
      'a checkpoint (its JWS) that you have from elsewhere: the log has to reach it. May be repeated',
      (file: string, others: string[]) => [...others, file],
      [],
    )
    .option('--topic <topic>', 'verify what is on this topic instead of a file, as reeve.audit.v1')
    .option('--brokers <host:port,…>', 'Kafka, for --topic', process.env['KAFKA_BROKERS'] ?? '127.0.0.1:9092')
    .option('--tenant <id>', 'only this tenant’s log, for --topic')
    .option('--json', 'print the result as JSON')
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if ((file === undefined) === (options.topic === undefined)) command.error('error: give either a file or --topic');
      await reading(file ?? `the topic ${options.topic}`, async () => {
        const results = file === undefined ? await verifyTopic(options) : [await verifyFile(file, options)];
        if (options.json) console.log(JSON.stringify(file === undefined ? results : results[0]));
        else for (const result of results) console.log(describe(result));
        if (results.length === 0) console.log('NOT verified: the topic holds no records');
        // A log that holds nothing proves nothing.
        return results.length > 0 && results.every(({ finding, records }) => !finding && records > 0);
      });
    });
}

export function verifyProofCommand(): Command {
  return new Command('verify-proof')
    .showHelpAfterError()
    .description('Verify offline that a record is in a log, or that a newer checkpoint only adds to an older one')
    .argument('<file>', 'the answer of …/events/:id/proof or of …/checkpoints/:number/consistency')
    .addOption(keysOption().makeOptionMandatory())
    .action((file: string, { keys }: { keys: string }) =>
      reading(file, async () => {
        const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
        const inclusion = inclusionProofSchema.safeParse(content);
        const result = inclusion.success
          ? await verifyInclusion(inclusion.data, readKeys(keys))
          : await verifyConsistency(consistencyProofSchema.parse(content), readKeys(keys));
        if (!result.holds) console.log(`NOT verified: ${result.problem}`);
        else console.log(`verified: ${inclusion.success ? 'the record is in the log' : 'the log only grew'}`);
        return result.holds;
      }),
    );
}

/** Runs a check and sets the exit code. */
async function reading(what: string, holds: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await holds()) ? 0 : 1;
  } catch (error) {
    console.error(`reeve: ${what} could not be verified: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 2;
  }
}

function readKeys(file: string): KeySet {
  const parsed = keySet.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`${file} is no JWK Set`);
  return parsed.data as KeySet;
}

const trusted = ({ keys, checkpoint }: Options) => ({
  keys: keys === undefined ? undefined : readKeys(keys),
  checkpoints: checkpoint.map(file => readFileSync(file, 'utf8').trim()),
});

function verifyFile(file: string, options: Options): Promise<Verification> {
  return verifyExport(linesOf(file), { format: formats[options.format], ...trusted(options) });
}

/** Each tenant's log that is on the topic, on its own. */
async function verifyTopic(options: Options): Promise<(Verification & { tenant: string })[]> {
  const bus = createEventBus({ brokers: options.brokers.split(','), clientId: 'reeve-cli' });
  const tenants = new Map<string, { verifier: Verifier; since: string }>();
  const beginnings = new Map<number, string>();
  const given = trusted(options);
  try {
    await bus.readTopic(options.topic ?? '', async ({ partition, message: { key, value, timestamp } }) => {
      const written = new Date(Number(timestamp)).toISOString();
      const since = beginnings.get(partition) ?? written;
      beginnings.set(partition, since);
      const tenant = key?.toString() ?? '';
      if (options.tenant !== undefined && options.tenant !== tenant) return;
      const known = tenants.get(tenant);
      const verifier = known?.verifier ?? createVerifier({ format: formats.ocsf, redelivered: 'skipped', ...given });
      // A tenant's records are in one partition, unless there were fewer partitions once.
      tenants.set(tenant, { verifier, since: known && known.since > since ? known.since : since });
      await verifier.add(value?.toString() ?? '');
    });
  } finally {
    await bus.stop();
  }
  return Promise.all(
    [...tenants].map(async ([tenant, { verifier, since }]) => ({ tenant, ...(await verifier.end(since)) })),
  );
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

function describe({
  tenant,
  records,
  chains,
  checkpoint,
  beyondCheckpoint,
  finding,
}: Verification & { tenant?: string }): string {
  const whose = tenant === undefined ? '' : `${tenant}: `;
  if (finding) {
    const place = finding.chain === null ? '' : ` (chain ${finding.chain}, record ${finding.sequence})`;
    const line = finding.line === 0 || tenant !== undefined ? '' : `line ${finding.line}`;
    return [
      `${whose}NOT verified: ${line}${place}: ${finding.problem}: ${finding.detail}`,
      `${records} records before it hold`,
    ].join('\n');
  }
  if (records === 0) return `${whose}NOT verified: it holds no records`;
  const heads = chains.map(
    ({ chain, first, last, head }) => `  ${chain}: records ${first} to ${last}, head ${head.slice(0, 16)}…`,
  );
  return [
    `${whose}verified: ${records} records in ${chains.length} chains`,
    ...heads,
    meaning(checkpoint, beyondCheckpoint),
  ].join('\n');
}

function meaning(checkpoint: Verification['checkpoint'], beyond: number): string {
  if (!checkpoint)
    return 'Nothing between the first and the last record of each chain is altered, missing or out of order. That nothing is missing after the last, and who wrote this, is not shown: there is no checkpoint.';
  const { number, time, keyId, signatureChecked } = checkpoint;
  const signed = signatureChecked
    ? `signed with the key ${keyId}`
    : `by the key ${keyId}, whose signature was NOT checked: give --keys`;
  const after = beyond === 0 ? '' : ` ${beyond} records are younger than it: that nothing follows them is not shown.`;
  return `Nothing is altered, missing or out of order up to checkpoint ${number} of ${time}, ${signed}.${after}`;
}
