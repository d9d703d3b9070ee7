// `reeve audit verify`: checks an exported log, or the topic, with nothing of Reeve at hand but its public keys. Exit code 0 when it holds, 1 when
// something is wrong with it, 2 when it could not be read.
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  consistencyProofSchema,
  createVerifier,
  type FormatName,
  formats,
  inclusionProofSchema,
  type KeySet,
  linesOf,
  type Verification,
  type Verifier,
  verifyConsistency,
  verifyInclusion,
  verifyLines,
} from '@reeve/audit-log';
import { createEventBus } from '@reeve/event-bus';
import { Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';

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

const longestSmallFile = 4_194_304;

const publicKey = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string().regex(/^[\w-]{43}$/),
  use: z.literal('sig').optional(),
  alg: z.enum(['EdDSA', 'Ed25519']).optional(),
});
const keySet = z.object({
  keys: z
    .array(publicKey)
    .min(1)
    .refine(keys => new Set(keys.map(({ kid }) => kid)).size === keys.length, 'a kid is there twice'),
});

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
    .option(
      '--stream',
      'the file is what a sink delivered or the feed gave, in that order, rather than an export: it has no manifest',
    )
    .addOption(
      new Option(
        '--since <time>',
        'when the stream began (as 2026-11-01T00:00:00Z), where that was not the beginning of the log: chains without a record since then may be absent',
      ).argParser(instant),
    )
    .option('--ignore-fields', 'verify the records alone, in an export that another version of Reeve wrote')
    .option('--json', 'print the result as JSON')
    .action(async (file: string | undefined, options: Options, command: Command) => {
      if ((file === undefined) === (options.topic === undefined)) command.error('error: give either a file or --topic');
      if (options.since !== undefined && !options.stream) command.error('error: --since is for --stream');
      await reading(file ?? `the topic ${options.topic}`, async () => {
        const results = file === undefined ? await verifyTopic(options) : [await verifyFile(file, options)];
        if (options.json) console.log(JSON.stringify(file === undefined ? results : results[0]));
        else for (const result of results) console.log(describe(result));
        if (results.length === 0) console.log('NOT verified: the topic holds no records');
        return results.length > 0 && results.every(holds);
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
        const content: unknown = JSON.parse(await readSmall(file));
        const isInclusion = typeof content === 'object' && content !== null && 'record' in content;
        const given = await readKeys(keys);
        const parsed = (isInclusion ? inclusionProofSchema : consistencyProofSchema).safeParse(content);
        if (!parsed.success) {
          const [issue] = parsed.error.issues;
          console.log(printable(`NOT verified: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`));
          return false;
        }
        const result =
          'record' in parsed.data
            ? await verifyInclusion(parsed.data, given)
            : await verifyConsistency(parsed.data, given);
        if (!result.holds) console.log(printable(`NOT verified: ${result.problem}`));
        else console.log(`verified: ${isInclusion ? 'the record is in the log' : 'the log only grew'}`);
        return result.holds;
      }),
    );
}

/** Runs a check and sets the exit code. */
async function reading(what: string, check: () => Promise<boolean>): Promise<void> {
  try {
    process.exitCode = (await check()) ? 0 : 1;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    console.error(printable(`reeve: ${what} could not be verified: ${why}`));
    process.exitCode = 2;
  }
}

/** Keys, checkpoints and proofs are small, whatever a path leads to. */
async function readSmall(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: longestSmallFile })) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > longestSmallFile) throw new Error(`${file} is larger than ${longestSmallFile} bytes`);
  return bytes.toString('utf8');
}

async function readKeys(file: string): Promise<KeySet> {
  const parsed = keySet.safeParse(JSON.parse(await readSmall(file)));
  if (parsed.success) return parsed.data as KeySet;
  const [issue] = parsed.error.issues;
  throw new Error(`${file} is no set of public keys: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

async function trusted({ keys, checkpoint, ignoreFields = false }: Options) {
  const checkpoints = await Promise.all(checkpoint.map(async file => (await readSmall(file)).trim()));
  return { keys: keys === undefined ? undefined : await readKeys(keys), checkpoints, ignoreFields };
}

async function verifyFile(file: string, options: Options): Promise<Verification> {
  const given = await trusted(options);
  const raw = createReadStream(file);
  const input = file.endsWith('.gz') ? pipeline(raw, createGunzip(), () => undefined) : raw;
  const of = options.stream ? 'stream' : 'export';
  return verifyLines(linesOf(input), { format: formats[options.format], of, since: options.since, ...given });
}

/** Each tenant's log that is on the topic, on its own. */
async function verifyTopic(options: Options): Promise<(Verification & { tenant: string })[]> {
  const bus = createEventBus({ brokers: options.brokers.split(','), clientId: 'reeve-cli' });
  const tenants = new Map<string, { verifier: Verifier; since: string }>();
  const beginnings = new Map<number, string>();
  const given = await trusted(options);
  try {
    await bus.readTopic(options.topic ?? '', async ({ partition, message: { key, value, timestamp } }) => {
      const written = new Date(Number(timestamp)).toISOString();
      const since = beginnings.get(partition) ?? written;
      beginnings.set(partition, since);
      const tenant = key?.toString() ?? '';
      if (options.tenant !== undefined && options.tenant !== tenant) return;
      const known = tenants.get(tenant);
      const verifier = known?.verifier ?? createVerifier({ format: formats.ocsf, of: 'stream', ...given });
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

/** Nothing that a file says may pass for what we say, or move the cursor. */
const printable = (text: string) => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');

/** An export that says itself that its period holds nothing is whole; any other log that holds nothing proves nothing. */
const holds = ({ finding, records, removed, manifest }: Verification) =>
  !finding && (records + removed > 0 || manifest !== null);

function describe(result: Verification & { tenant?: string }): string {
  const { tenant, records, removed, chains, checkpoint, beyondCheckpoint, finding } = result;
  const whose = tenant === undefined ? '' : `${tenant}: `;
  if (finding) {
    const line = finding.line === 0 || tenant !== undefined ? '' : `line ${finding.line}: `;
    const record = finding.sequence === null ? '' : `, record ${finding.sequence}`;
    const place = finding.chain === null ? '' : `chain ${finding.chain}${record}: `;
    return [
      printable(`${whose}NOT verified: ${line}${place}${finding.problem}: ${finding.detail}`),
      `${records} records were read before it`,
    ].join('\n');
  }
  if (!holds(result)) return printable(`${whose}NOT verified: it holds no records`);
  const heads = chains.map(({ chain, first, last, head }) =>
    printable(`  ${chain}: records ${first} to ${last}, head ${head.slice(0, 16)}…`),
  );
  const verified = checkpoint?.signatureChecked ? 'verified' : 'verified, but not who wrote it';
  const told = checkpoint?.signatureChecked
    ? 'signed tombstones say'
    : 'tombstones say, whose signatures were NOT checked';
  const gone = removed === 0 ? '' : `, and the places of ${removed} that were removed, as ${told}`;
  return [
    printable(`${whose}${verified}: ${records} records in ${chains.length} chains${gone}`),
    ...heads,
    printable(meaning(checkpoint, beyondCheckpoint)),
  ].join('\n');
}

function meaning(checkpoint: Verification['checkpoint'], beyond: number): string {
  if (!checkpoint)
    return 'Nothing between the first and the last record of each chain is altered, missing or out of order. That nothing is missing after the last, and who wrote this, is not shown: there is no checkpoint.';
  const { number, time, keyId, signatureChecked } = checkpoint;
  const signed = signatureChecked
    ? `signed with the key ${keyId}`
    : `by the key ${keyId}, whose signature was NOT checked: give --keys`;
  const after = beyond === 0 ? '' : ` ${beyond} records are beyond it: nothing shows yet that they are Reeve's.`;
  return `From the first record of each of these chains on, nothing is altered, missing or out of order up to checkpoint ${number} of ${time}, ${signed}.${after}`;
}
