// What `reeve audit verify` reads: the log, the keys, checkpoints and proofs. What cannot be what it was given as is
// refused with a hint, before anything is verified.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import {
  type ConsistencyProof,
  consistencyProofSchema,
  decodeStatement,
  type InclusionProof,
  inclusionProofSchema,
  type KeySet,
  type Statement,
  StatementError,
} from '@reeve/audit-log';
import { JsonError, parseJson } from '@reeve/contracts';
import { z } from 'zod';

const longestSmallFile = 4_194_304;
const gzipMagic = Buffer.of(0x1f, 0x8b);

/**
 * Unpacked where it is gzip, whatever it is called: a download may have been unpacked on its way, or lost its ending.
 */
export async function openFile(file: string): Promise<AsyncIterable<Buffer>> {
  const raw = createReadStream(file);
  await once(raw, 'readable');
  const beginning = raw.read(gzipMagic.length) as Buffer | null;
  if (beginning) raw.unshift(beginning);
  return beginning?.equals(gzipMagic) ? pipeline(raw, createGunzip(), () => undefined) : raw;
}

/** Keys, checkpoints and proofs are small, whatever a path leads to. */
async function readSmall(file: string): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of createReadStream(file, { end: longestSmallFile })) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (bytes.length > longestSmallFile) throw new Error(`${file} is larger than ${longestSmallFile} bytes`);
  return bytes.toString('utf8');
}

/** What a JSON file holds, or why it cannot be relied on. */
async function readJson(file: string): Promise<{ content: unknown } | { problem: string }> {
  const text = await readSmall(file);
  try {
    return { content: parseJson(text) };
  } catch (error) {
    if (error instanceof JsonError) return { problem: error.message };
    throw new Error(`${file} is no JSON`);
  }
}

/**
 * Of a JWK Set, the keys that can have signed: it may hold others, of other kinds and for other uses, and those are
 * passed over.
 */
const usable = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string(),
  use: z.literal('sig').optional(),
  alg: z.enum(['EdDSA', 'Ed25519']).optional(),
  key_ops: z
    .array(z.string())
    .refine(uses => uses.includes('verify'))
    .optional(),
});
/** Without a private part, which is not ours to see, and would not verify. */
const publicKey = z.object({
  kty: z.string(),
  crv: z.string(),
  kid: z.string().min(1),
  x: z.string().regex(/^[\w-]{43}$/),
});
const keySet = z.object({ keys: z.array(z.unknown()) });

export async function readKeys(file: string): Promise<KeySet> {
  const refused = (why: string) => new Error(`${file} is no set of public keys: ${why}`);
  const read = await readJson(file);
  if ('problem' in read) throw refused(read.problem);
  const parsed = keySet.safeParse(read.content);
  if (!parsed.success) throw refused('it has to be a JWK Set, as /.well-known/reeve-audit-keys serves it');
  const found = parsed.data.keys.filter(key => usable.safeParse(key).success);
  const keys = found.map(key => publicKey.safeParse(key));
  if (keys.length === 0) throw refused('none of its keys is an Ed25519 key for signatures that has a kid');
  const whole = keys.flatMap(key => (key.success ? [key.data] : []));
  if (whole.length < keys.length) throw refused('an Ed25519 key in it is not whole');
  if (new Set(whole.map(({ kid }) => kid)).size < whole.length) throw refused('a kid is there twice');
  return { keys: whole };
}

export async function readCheckpoint(file: string): Promise<string> {
  const jws = (await readSmall(file)).trim();
  if (statementIn(jws)?.kind === 'reeve-checkpoint') return jws;
  throw new Error(
    `${file} is no checkpoint: it has to hold the \`jws\` of one of …/audit/checkpoints, and nothing else`,
  );
}

function statementIn(jws: string): Statement | null {
  try {
    return decodeStatement(jws);
  } catch (error) {
    if (error instanceof StatementError) return null;
    throw error;
  }
}

export type Proof = InclusionProof | ConsistencyProof;

/** A proof, or what is wrong with it. Throws for what is none. */
export async function readProof(file: string): Promise<Proof | { problem: string }> {
  const read = await readJson(file);
  if ('problem' in read) return read;
  const { content } = read;
  const names = typeof content === 'object' && content !== null ? Object.keys(content) : [];
  if (!names.includes('record') && !names.includes('chains'))
    throw new Error('it is no proof: give the answer of …/events/:id/proof or of …/checkpoints/:number/consistency');
  const parsed = (names.includes('record') ? inclusionProofSchema : consistencyProofSchema).safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.length ? ` at ${issue.path.join('.')}` : '';
  return { problem: `it is not as a proof is written${place}: ${issue?.message ?? ''}` };
}
