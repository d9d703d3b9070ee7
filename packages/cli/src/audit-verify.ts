// `reeve audit verify`: checks an exported log, or the topic, with nothing of Reeve at hand but its public keys. Exit
// code 0 when it holds, 1 when something is wrong with it, 2 when it could not be read, 3 when nothing is wrong and no
// keys were given, so that nothing is proven.
import {
  createTenants,
  type FormatName,
  formatOf,
  formats,
  linesOf,
  type Verification,
  verifyConsistency,
  verifyInclusion,
  verifyLines,
  verifyTenants,
} from '@reeve/audit-log';
import { Command, InvalidArgumentError, Option } from 'commander';
import { openFile, readCheckpoint, readKeys, readProof } from './audit-verify-input.ts';
import { describe, describeProof, outcomeOf, printable } from './audit-verify-words.ts';
import { brokersOption, connectKafka } from './kafka.ts';

type Options = {
  format: FormatName;
  keys?: string;
  checkpoint: string[];
  topic?: string;
  brokers: string;
  tenant?: string;
  stream?: true;
  since?: string;
  ignoreFields?: boolean;
  json?: true;
};

function instant(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('It is no time.');
  return time.toISOString();
}

const keysOption = () =>
  new Option('--keys <file>', 'the public keys: the JWK Set that /.well-known/reeve-audit-keys serves');

export function verifyCommand(): Command {
  return new Command('verify')
    .showHelpAfterError()
    .description('Verify an audit log offline and name the first record that is altered, missing or out of order')
    .argument('[file]', 'an export, plain or gzip')
    .addOption(
      new Option('--format <format>', 'what the export was asked for').choices(Object.keys(formats)).default('ndjson'),
    )
    .addOption(keysOption())
    .addOption(
      new Option(
        '--checkpoint <file>',
        'a checkpoint (its JWS) that you have from elsewhere: the log has to reach it. May be repeated',
      )
        .argParser((file: string, others: string[]) => [...others, file])
        .default([], 'none'),
    )
    .option('--topic <topic>', 'verify what is on this topic instead of a file, as reeve.audit.v1')
    .addOption(brokersOption('Kafka, for --topic'))
    .option('--tenant <id>', 'whose log an export has to be; of --stream and --topic, only this tenant’s log')
    .option(
      '--stream',
      'the file is what sinks delivered or the feed gave, in that order; it has no manifest, and may be of several tenants',
    )
    .addOption(
      new Option(
        '--since <time>',
        'when the stream began (as 2026-11-01T00:00:00Z), where the log began before: its chains may begin in the middle',
      ).argParser(instant),
    )
    .option('--ignore-fields', 'verify the records alone, in an export that another version of Reeve wrote')
    .option('--json', 'print the result as JSON; for --stream and --topic a list, of each tenant')
    .addHelpText(
      'after',
      `
Exit codes:
  0  it holds
  1  something is wrong with it
  2  it could not be read, or the call is wrong
  3  nothing is wrong with it, but without --keys nothing is proven`,
    )
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if ((file === undefined) === (options.topic === undefined)) command.error('error: give either a file or --topic');
      if (options.since !== undefined && !options.stream) command.error('error: --since is for --stream');
      await reading(file ?? `the topic ${options.topic}`, async () => {
        const results = file === undefined ? await verifyTopic(options) : await verifyFile(file, options);
        const isList = file === undefined || options.stream;
        if (options.json) console.log(JSON.stringify(isList ? results : results[0]));
        else for (const result of results) console.log(describe(result));
        if (results.length === 0) console.error('NOT verified: it holds no records');
        return exitCodeOf(results);
      });
    });
}

function exitCodeOf(results: readonly Verification[]): number {
  const outcomes = results.map(outcomeOf);
  if (outcomes.length === 0 || outcomes.includes('refused')) return 1;
  return outcomes.includes('unproven') ? 3 : 0;
}

export function verifyProofCommand(): Command {
  return new Command('verify-proof')
    .showHelpAfterError()
    .description('Verify offline that a record is in a log, or that a newer checkpoint only adds to an older one')
    .argument('<file>', 'the answer of …/events/:id/proof or of …/checkpoints/:number/consistency')
    .addOption(keysOption().makeOptionMandatory())
    .action((file: string, { keys }: { keys: string }) =>
      reading(file, async () => {
        const given = await readKeys(keys);
        const proof = await readProof(file);
        if ('problem' in proof) return refuse(proof.problem);
        const result = 'record' in proof ? await verifyInclusion(proof, given) : await verifyConsistency(proof, given);
        if (!result.holds) return refuse(result.problem);
        console.log(describeProof(proof));
        return 0;
      }),
    );
}

function refuse(problem: string): number {
  console.log(printable(`NOT verified: ${problem}`));
  return 1;
}

/** Runs a check that gives the exit code. */
async function reading(what: string, check: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await check();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.error(printable(`reeve: ${what} could not be verified: ${why}`));
    process.exitCode = 2;
  }
}

async function trusted({ keys, checkpoint, tenant, ignoreFields = false }: Options) {
  const checkpoints = await Promise.all(checkpoint.map(readCheckpoint));
  return { keys: keys === undefined ? undefined : await readKeys(keys), checkpoints, tenantId: tenant, ignoreFields };
}

async function verifyFile(file: string, options: Options): Promise<Verification[]> {
  const { stream, since, format } = options;
  const given = { format: formats[format], ...(await trusted(options)) };
  let first: string | undefined;
  async function* lines() {
    for await (const line of linesOf(await openFile(file))) {
      first ??= line;
      yield line;
    }
  }
  const results = stream ? await verifyTenants(lines(), { since, ...given }) : [await verifyLines(lines(), given)];
  const other = formatOf(first ?? '');
  const isOther = other !== null && other !== format;
  if (isOther && results.some(({ finding }) => finding?.problem === 'unreadable' && finding.line === 1))
    throw new Error(`its first line is ${other}, not ${format}: give --format ${other}`);
  return results;
}

/** Each tenant's log that is on the topic, on its own. */
async function verifyTopic({ topic = '', brokers, ...options }: Options): Promise<Verification[]> {
  const bus = await connectKafka({ brokers });
  const tenants = createTenants({ format: formats.ocsf, ...(await trusted({ topic, brokers, ...options })) });
  /** When the partition of a tenant began. A tenant's records are in one, unless there were fewer partitions once. */
  const began = new Map<string, string>();
  const beginnings = new Map<number, string>();
  try {
    await bus.readTopics([topic], async ({ partition, message: { key, value, timestamp } }) => {
      const written = new Date(Number(timestamp)).toISOString();
      const since = beginnings.get(partition) ?? written;
      beginnings.set(partition, since);
      const tenant = key?.toString() ?? '';
      const known = began.get(tenant) ?? since;
      began.set(tenant, known > since ? since : known);
      await tenants.of(tenant)?.add(value?.toString() ?? '');
    });
  } finally {
    await bus.stop();
  }
  return tenants.end(tenant => began.get(tenant));
}
