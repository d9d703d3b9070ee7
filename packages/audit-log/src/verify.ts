// Checks a log: that each record hashes to what it says, that each follows its predecessor, that none of a chain is missing, doubled or out of
// order, and that all of it is what the signed statements beside it tell of. Needs nothing but the lines and the public keys.
import type { Format, Line } from './formats/entry.ts';
import { addLeaf, type Frontier, rootOf, rootOfLeaves } from './merkle.ts';
import { genesisHash, hashOf } from './record.ts';
import {
  type ChainHead,
  type Checkpoint,
  decodeStatement,
  hashOfStatement,
  type KeySet,
  leafOfChain,
  type Manifest,
  readStatement,
  StatementError,
} from './statements.ts';

export type Problem =
  | 'unreadable'
  | 'altered'
  | 'broken_link'
  | 'missing'
  | 'out_of_order'
  | 'other_tenant'
  | 'truncated'
  | 'differs_from_checkpoint'
  | 'not_in_manifest'
  | 'unknown_key'
  | 'bad_signature'
  | 'unsigned';

export type Finding = {
  /** Line of the export, from 1; 0 for what is wrong with the whole. */
  line: number;
  chain: string | null;
  sequence: number | null;
  problem: Problem;
  detail: string;
};

export type Verification = {
  records: number;
  chains: { chain: string; first: number; last: number; head: string }[];
  /** The last checkpoint that was met, and whether its signature was checked: it is not where no keys were given. */
  checkpoint: { number: number; time: string; keyId: string; signatureChecked: boolean } | null;
  /** Records after the last checkpoint: that nothing is missing after them nobody has promised yet. */
  beyondCheckpoint: number;
  /** The first thing that is wrong; nothing after it is checked, since nothing after it can be relied on. */
  finding: Finding | null;
};

export type VerifyOptions = {
  format: Pick<Format, 'read' | 'header'>;
  /** Without them no signature is checked, and the result says so. */
  keys?: KeySet | undefined;
  /** Checkpoints obtained elsewhere: what they tell of has to be there. */
  checkpoints?: readonly string[];
  /** A topic delivers at least once: the same record again changes nothing. */
  redelivered?: 'refused' | 'skipped';
};

/** A head that a checkpoint signed. */
type Promised = ChainHead & { checkpoint: number };

type ChainState = {
  first: number;
  sequence: number;
  hash: string;
  /** Of the Merkle tree, where the chain is known from its first record on. */
  frontier: Frontier | null;
  /** Hashes of the last records, oldest first: a redelivery and a checkpoint that comes late are held against them. */
  recent: string[];
};

/** A topic's redelivery is at most what one fetch held. */
const remembered = 1_000;

class Failure extends Error {
  readonly finding: Omit<Finding, 'line'>;

  constructor(problem: Problem, detail: string, place: { chain?: string; sequence?: number } = {}) {
    super(detail);
    this.finding = { problem, detail, chain: place.chain ?? null, sequence: place.sequence ?? null };
  }
}

export type Verifier = ReturnType<typeof createVerifier>;

/** For lines that come one by one. `add` and `end` throw nothing that is wrong with the log: `result` tells. */
export function createVerifier({ format, keys, checkpoints = [], redelivered = 'refused' }: VerifyOptions) {
  const chains = new Map<string, ChainState>();
  /** What checkpoints say of places that were not reached yet. */
  const expected = new Map<string, Promised[]>();
  let manifest: Manifest | null = null;
  let last: { number: number; time: string; keyId: string; content: Checkpoint; jws: string } | null = null;
  let tenantId: string | null = null;
  let records = 0;
  let line = 0;
  let finding: Finding | null = null;

  function sameTenant(of: string) {
    tenantId ??= of;
    if (of !== tenantId) throw new Failure('other_tenant', `it belongs to ${of}`);
  }

  function assertEqual(head: Promised, hash: string, frontier: Frontier | null) {
    const { chain, size, checkpoint } = head;
    if (hash !== head.head || (frontier && rootOf(frontier).toString('hex') !== head.root))
      throw new Failure('differs_from_checkpoint', `checkpoint ${checkpoint} signed another record ${size}`, {
        chain,
        sequence: size,
      });
  }

  function addCheckpoint(content: Checkpoint, keyId: string, jws: string) {
    const { number, time } = content;
    sameTenant(content.tenantId);
    if (rootOfLeaves(content.chains.map(leafOfChain)).toString('hex') !== content.root)
      throw new Failure('unreadable', `the root of checkpoint ${number} is not that of its chains`);
    if (last && number === last.number) {
      if (jws !== last.jws) throw new Failure('differs_from_checkpoint', `there are two checkpoints ${number}`);
      return;
    }
    if (last && number < last.number) return;
    if (last && number === last.number + 1 && content.previous !== hashOfStatement(last.jws))
      throw new Failure('differs_from_checkpoint', `checkpoint ${number} does not follow checkpoint ${last.number}`);
    for (const before of last?.content.chains ?? []) {
      const size = content.chains.find(({ chain }) => chain === before.chain)?.size ?? 0;
      if (size < before.size)
        throw new Failure(
          'differs_from_checkpoint',
          `checkpoint ${number} has fewer records than checkpoint ${last?.number}`,
          { chain: before.chain, sequence: size },
        );
    }
    last = { number, time, keyId, content, jws };
    for (const head of content.chains) {
      const state = chains.get(head.chain);
      const announced = { ...head, checkpoint: number };
      if (state && head.size <= state.sequence) {
        const hash = state.recent.at(head.size - state.sequence - 1);
        if (hash !== undefined) assertEqual(announced, hash, head.size === state.sequence ? state.frontier : null);
      } else {
        expected.set(head.chain, [...(expected.get(head.chain) ?? []), announced]);
      }
    }
  }

  async function addStatement(jws: string): Promise<void> {
    const { keyId, kind, content } = keys ? await readStatement(jws, keys) : decodeStatement(jws);
    if (kind === 'reeve-checkpoint') return addCheckpoint(content, keyId, jws);
    if (manifest || records > 0) throw new Failure('unreadable', 'a manifest stands only at the beginning');
    sameTenant(content.tenantId);
    manifest = content;
    await addStatement(content.checkpoint);
  }

  /** What the manifest says of the chain that this record begins. */
  function begin({
    chain,
    sequence,
    previousHash,
  }: {
    chain: string;
    sequence: number;
    previousHash: string;
  }): ChainState {
    const place = { chain, sequence };
    const promised = manifest?.chains.find(one => one.chain === chain);
    if (manifest && !promised) throw new Failure('not_in_manifest', 'the export should not hold this chain', place);
    const first = promised?.first ?? sequence;
    if (sequence !== first) throw new Failure('missing', `records ${first} to ${sequence - 1} are missing`, place);
    const before = sequence === 1 ? genesisHash : (promised?.previousHash ?? previousHash);
    if (previousHash !== before)
      throw new Failure('broken_link', 'the record does not follow what was before it', place);
    return { first: sequence, sequence: sequence - 1, hash: before, frontier: sequence === 1 ? [] : null, recent: [] };
  }

  function addRecord({ record, canonical, hash }: Extract<Line, { kind: 'record' }>) {
    const { chain, sequence, previousHash } = record;
    const place = { chain, sequence };
    sameTenant(record.tenantId);
    if (hashOf(previousHash, canonical) !== hash)
      throw new Failure('altered', 'the record does not hash to its hash', place);
    const state = chains.get(chain) ?? begin(record);
    const next = state.sequence + 1;
    if (sequence > next) throw new Failure('missing', `records ${next} to ${sequence - 1} are missing`, place);
    if (sequence < next) {
      if (redelivered === 'skipped' && state.recent.at(sequence - next) === hash) return;
      throw new Failure('out_of_order', `record ${sequence} comes after record ${state.sequence}`, place);
    }
    if (previousHash !== state.hash)
      throw new Failure('broken_link', 'the record does not follow its predecessor', place);
    if (state.frontier) state.frontier = addLeaf(state.frontier, state.sequence, Buffer.from(hash, 'hex'));
    state.sequence = sequence;
    state.hash = hash;
    state.recent.push(hash);
    if (state.recent.length > remembered * 2) state.recent.splice(0, remembered);
    chains.set(chain, state);
    records += 1;
    const promises = expected.get(chain);
    // What lies before the first record that there is cannot be looked at.
    for (let due = promises?.[0]; due && due.size <= sequence; due = promises?.[0]) {
      if (due.size === sequence) assertEqual(due, hash, state.frontier);
      promises?.shift();
    }
  }

  /** A failure of the log ends the verification; any other is not ours to swallow. */
  async function attempt(step: () => Promise<void> | void) {
    if (finding) return;
    try {
      await step();
    } catch (error) {
      if (error instanceof Failure) finding = { line, ...error.finding };
      else if (error instanceof StatementError)
        finding = { line, chain: null, sequence: null, problem: error.problem, detail: error.message };
      else throw error;
    }
  }

  function read(text: string): Line {
    try {
      return format.read(text);
    } catch (error) {
      throw new Failure('unreadable', error instanceof Error ? error.message : 'not a record');
    }
  }

  function assertComplete(since: string) {
    if (manifest) {
      for (const { chain, last: end, head } of manifest.chains) {
        const state = chains.get(chain);
        if (state?.sequence !== end)
          throw new Failure(
            'truncated',
            `the export holds records up to ${end}, the file up to ${state?.sequence ?? 'none'}`,
            { chain, sequence: end },
          );
        if (state.hash !== head)
          throw new Failure('broken_link', `the manifest signed another record ${end}`, { chain, sequence: end });
      }
    }
    // An export of a period ends before the checkpoint does; what was asked for besides has to be there in any case.
    const required = new Set(
      checkpoints
        .map(jws => decodeStatement(jws))
        .flatMap(({ content }) => ('number' in content ? [content.number] : [])),
    );
    for (const [chain, heads] of expected) {
      const asked = heads.filter(({ checkpoint }) => !manifest || required.has(checkpoint));
      const missing = asked.find(({ time }) => chains.has(chain) || time >= since);
      if (missing)
        throw new Failure(
          'truncated',
          `checkpoint ${missing.checkpoint} tells of ${missing.size} records, the log ends at ${chains.get(chain)?.sequence ?? 'none'}`,
          { chain, sequence: missing.size },
        );
    }
    if (keys && !last)
      throw new Failure('unsigned', 'there is no checkpoint, so nothing shows who wrote this or where it ends');
  }

  return {
    /** One line, without its end. */
    add: (text: string) => {
      line += 1;
      return attempt(() => {
        if (text.trim() === '' || (line === 1 && text === format.header)) return;
        const entry = read(text);
        return entry.kind === 'record' ? addRecord(entry) : addStatement(entry.jws);
      });
    },

    /** When there are no more lines. A chain whose last record is older than `since` (of a topic that keeps no longer) may be absent. */
    async end(since?: string): Promise<Verification> {
      line = 0;
      for (const jws of checkpoints) await attempt(() => addStatement(jws));
      await attempt(() => assertComplete(since ?? ''));
      return this.result();
    },

    /** Whether it has found something wrong, after which nothing is looked at. */
    failed: () => finding !== null,

    result(): Verification {
      const sizes = new Map(last?.content.chains.map(({ chain, size }) => [chain, size]));
      let beyondCheckpoint = 0;
      for (const [chain, { sequence, first }] of chains)
        beyondCheckpoint += Math.max(0, sequence - Math.max(sizes.get(chain) ?? 0, first - 1));
      return {
        records,
        chains: [...chains].map(([chain, { first, sequence, hash }]) => ({ chain, first, last: sequence, head: hash })),
        checkpoint: last && {
          number: last.number,
          time: last.time,
          keyId: last.keyId,
          signatureChecked: keys !== undefined,
        },
        beyondCheckpoint,
        finding,
      };
    },
  };
}

/**
 * Verifies the lines of one tenant's export in their order. An export without a manifest may begin in the middle of a chain (a page): then the
 * first record of each chain is taken as its beginning, and `first` says so by not being 1.
 */
export async function verifyExport(lines: AsyncIterable<string>, options: VerifyOptions): Promise<Verification> {
  const verifier = createVerifier(options);
  for await (const text of lines) {
    await verifier.add(text);
    if (verifier.failed()) break;
  }
  return verifier.end();
}
