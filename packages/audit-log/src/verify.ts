// Checks a log: that each record hashes to what it says, that each follows its predecessor, that none of a chain is missing, doubled or out of
// order, and that all of it is what the signed statements beside it tell of. Needs nothing but the lines and the public keys.
import { type Format, type Line, saysWhatItHolds } from './formats/entry.ts';
import { addLeaf, type Frontier, rootOf } from './merkle.ts';
import { genesisHash, hashOf, testChain } from './record.ts';
import {
  type ChainHead,
  type Checkpoint,
  contradictionOf,
  decodeStatement,
  hashesIn,
  type KeySet,
  type Manifest,
  readStatement,
  StatementError,
  type Tombstone,
} from './statements.ts';

export type Problem =
  | 'unreadable'
  | 'fields_differ'
  | 'altered'
  | 'broken_link'
  | 'missing'
  | 'out_of_order'
  | 'other_tenant'
  | 'truncated'
  | 'differs_from_checkpoint'
  | 'differs_from_tombstone'
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
  /** Records that were removed, as signed tombstones say; their places and hashes were followed like those of the others. */
  removed: number;
  chains: { chain: string; first: number; last: number; head: string }[];
  /** The last checkpoint that was met, and whether its signature was checked: it is not where no keys were given. */
  checkpoint: { number: number; time: string; keyId: string; signatureChecked: boolean } | null;
  /** Records after the last checkpoint: nothing shows yet that they are Reeve's, or that none is missing behind them. */
  beyondCheckpoint: number;
  /** What the export says that it holds; null of a stream, and for a part of an export. */
  manifest: Pick<Manifest, 'time' | 'from' | 'to'> | null;
  /** The first thing that is wrong; nothing after it is checked, since nothing after it can be relied on. */
  finding: Finding | null;
};

export type VerifyOptions = {
  format: Format;
  /** Without them no signature is checked, and the result says so. */
  keys?: KeySet | undefined;
  /**
   * An `export` begins with its manifest, unless no keys are given: then it may be a part. A `stream` (the topic, a sink, the feed) has none, delivers
   * at least once, and may begin in the middle.
   */
  of?: 'export' | 'stream';
  /** Checkpoints obtained elsewhere: the log has to be the one that they tell of, and to reach them. */
  checkpoints?: readonly string[];
  /** For what another version of Reeve exported: only the records are verified, not what the other fields say. */
  ignoreFields?: boolean;
};

type Signed = { content: Checkpoint; keyId: string; jws: string };

/** A head that a checkpoint signed. */
type Promised = ChainHead & { checkpoint: number };

type ChainState = {
  first: number;
  /** Of the record before the first. */
  previousHash: string;
  sequence: number;
  /** The place of the last record that came; those after it up to `sequence` were removed. */
  lastRecord: number;
  hash: string;
  /** Of the Merkle tree, where the chain is known from its first record on. */
  frontier: Frontier | null;
  /** Hashes of the last records, oldest first: a redelivery and a checkpoint that comes late are held against them. */
  recent: string[];
};

/** What a stream delivers again is at most what one fetch or batch held. */
const remembered = 10_000;
/** Hashes of places that are told of and not reached: a block of 256, and what readers who began in the middle are told beside. */
const mostBuried = 65_536;

class Failure extends Error {
  readonly finding: Omit<Finding, 'line'>;

  constructor(problem: Problem, detail: string, place: { chain?: string | undefined; sequence?: number } = {}) {
    super(detail);
    this.finding = { problem, detail, chain: place.chain ?? null, sequence: place.sequence ?? null };
  }
}

export type Verifier = ReturnType<typeof createVerifier>;

/** For lines that come one by one. `add` and `end` throw nothing that is wrong with the log: `result` tells. */
export function createVerifier({ format, keys, of = 'export', checkpoints = [], ignoreFields = false }: VerifyOptions) {
  const chains = new Map<string, ChainState>();
  /** What checkpoints say of places that were not reached yet, in the order of the places. */
  const expected = new Map<string, Promised[]>();
  /** Hashes of removed records whose places were not reached yet, by chain and place. */
  const buried = new Map<string, Map<number, string>>();
  /** Without a manifest: chains of which nothing came yet but tombstones, from the first place on. */
  const beginnings = new Map<string, ChainState>();
  let given: Signed[] | null = null;
  let manifest: Manifest | null = null;
  let last: Signed | null = null;
  let tenantId: string | null = null;
  let currentChain = -1;
  let records = 0;
  let removed = 0;
  let line = 0;
  let finding: Finding | null = null;

  function sameTenant(other: string) {
    tenantId ??= other;
    if (other !== tenantId) throw new Failure('other_tenant', `it belongs to ${other}`);
  }

  function assertEqual({ chain, size, head, root, checkpoint }: Promised, hash: string, frontier: Frontier | null) {
    if (hash === head && (!frontier || rootOf(frontier).toString('hex') === root)) return;
    throw new Failure('differs_from_checkpoint', `checkpoint ${checkpoint} signed another record ${size}`, {
      chain,
      sequence: size,
    });
  }

  /** Holds what it says against what was read, or keeps it until that is reached. False where a record is too far back to be held against it. */
  function expect({ content: { number, chains: heads } }: Signed): boolean {
    let isCompared = true;
    for (const head of heads) {
      const promised = { ...head, checkpoint: number };
      const state = chains.get(head.chain) ?? beginnings.get(head.chain);
      if (!state || head.size > state.sequence) promise(promised);
      else if (head.size >= state.first - 1) {
        const hash = head.size < state.first ? state.previousHash : state.recent.at(head.size - state.sequence - 1);
        if (hash === undefined) isCompared = false;
        else assertEqual(promised, hash, head.size === state.sequence ? state.frontier : null);
      }
    }
    return isCompared;
  }

  /** In the order of the places, once where checkpoints say the same. */
  function promise(promised: Promised) {
    const others = expected.get(promised.chain) ?? [];
    const at = others.findLastIndex(({ size }) => size <= promised.size);
    const before = others[at];
    if (before?.size === promised.size && before.head === promised.head && before.root === promised.root) return;
    others.splice(at + 1, 0, promised);
    expected.set(promised.chain, others);
  }

  function assertAgrees(signed: Signed, others: readonly Signed[]) {
    for (const other of others) {
      const contradiction = contradictionOf(signed, other);
      if (contradiction) throw new Failure('differs_from_checkpoint', contradiction.detail, contradiction);
    }
  }

  function addCheckpoint(signed: Signed) {
    sameTenant(signed.content.tenantId);
    assertAgrees(signed, [...(given ?? []), ...(last ? [last] : [])]);
    const isCompared = expect(signed);
    if (isCompared && signed.content.number > (last?.content.number ?? 0)) last = signed;
  }

  async function read(jws: string) {
    return keys ? readStatement(jws, keys) : decodeStatement(jws);
  }

  async function checkpointIn(jws: string): Promise<Signed> {
    const { kind, keyId, content } = await read(jws);
    if (kind !== 'reeve-checkpoint')
      throw new Failure('unreadable', 'another statement stands where a checkpoint should');
    return { content, keyId, jws };
  }

  /** Before the first line, so that each is held against the records as they come. */
  async function readGiven() {
    given = [];
    for (const jws of checkpoints) {
      const signed = await checkpointIn(jws);
      sameTenant(signed.content.tenantId);
      assertAgrees(signed, given);
      given.push(signed);
      expect(signed);
    }
  }

  async function addStatement(jws: string): Promise<void> {
    const { kind, keyId, content } = await read(jws);
    if (kind === 'reeve-tombstone') return addTombstone(content);
    if (of === 'stream') {
      if (kind === 'reeve-checkpoint') return addCheckpoint({ content, keyId, jws });
      throw new Failure('unreadable', 'another statement stands where a checkpoint should');
    }
    if (kind !== 'reeve-export' || manifest || records > 0)
      throw new Failure('unreadable', 'an export has one manifest, at its beginning, and no other statement');
    sameTenant(content.tenantId);
    manifest = content;
    const signed = await checkpointIn(content.checkpoint);
    addCheckpoint(signed);
    assertManifest(content, signed);
  }

  /** What the manifest promises has to be in the checkpoint that it names; all of it, where no period was asked for. */
  function assertManifest({ chains: ranges, from, to }: Manifest, { content: { chains: heads } }: Signed) {
    const whole = from === null && to === null;
    for (const { chain, last: end, head } of ranges) {
      const signed = heads.find(one => one.chain === chain);
      if (!signed || end > signed.size || (end === signed.size && head !== signed.head))
        throw new Failure('differs_from_checkpoint', 'the manifest promises what its checkpoint does not have', {
          chain,
          sequence: end,
        });
    }
    const wrong =
      whole &&
      heads.find(({ chain, size }) => !ranges.some(one => one.chain === chain && one.first === 1 && one.last === size));
    if (wrong)
      throw new Failure('truncated', 'the manifest promises less than its checkpoint has', {
        chain: wrong.chain,
        sequence: wrong.size,
      });
  }

  /** It comes before what it tells of, and may tell of more than the export holds. */
  function addTombstone(tombstone: Tombstone) {
    const { chain } = tombstone;
    sameTenant(tombstone.tenantId);
    if (keys && of === 'export' && !manifest)
      throw new Failure('unsigned', 'there is no manifest before it', { chain });
    const promised = promisedOf(chain);
    if (promised && !chains.has(chain))
      chains.set(chain, begin(chain, { sequence: promised.first, previousHash: promised.previousHash }));
    const state = chains.get(chain) ?? beginnings.get(chain);
    const waiting = buried.get(chain) ?? new Map<number, string>();
    buried.set(chain, waiting);
    for (const [sequence, hash] of hashesIn(tombstone)) {
      if (sequence > (promised?.last ?? Infinity)) break;
      const ahead = sequence - (state?.sequence ?? 0);
      const known = ahead > 0 ? waiting.get(sequence) : state?.recent.at(ahead - 1);
      if (known !== undefined && known !== hash) throw anotherBuried(chain, sequence);
      if (ahead > 0) waiting.set(sequence, hash);
    }
    if (waiting.size > mostBuried)
      throw new Failure('unreadable', 'tombstones tell of very many places that do not come', { chain });
    if (state) passRemoved(chain, state);
    else if (waiting.has(1)) {
      const beginning = begin(chain, { sequence: 1, previousHash: genesisHash });
      beginnings.set(chain, beginning);
      passRemoved(chain, beginning);
    }
  }

  const anotherBuried = (chain: string, sequence: number) =>
    new Failure('differs_from_tombstone', `a tombstone tells of another record ${sequence}`, { chain, sequence });

  /** Goes on over places whose records were removed, up to `last`. */
  function passRemoved(chain: string, state: ChainState, last = Infinity) {
    const waiting = buried.get(chain);
    for (let next = state.sequence + 1; next <= last; next += 1) {
      const hash = waiting?.get(next);
      if (hash === undefined) return;
      waiting?.delete(next);
      advance(chain, state, hash);
      removed += 1;
    }
  }

  /** Where tombstones tell of a chain from its beginning on up to its first record, or of that as well. If there is a gap between, its reader began in the middle. */
  function beginningBefore({ chain, sequence }: { chain: string; sequence: number }): ChainState | undefined {
    const beginning = beginnings.get(chain);
    beginnings.delete(chain);
    if (!beginning) return undefined;
    if (sequence <= beginning.sequence + 1) {
      chains.set(chain, beginning);
      return beginning;
    }
    removed -= beginning.sequence;
    for (const place of buried.get(chain)?.keys() ?? []) if (place < sequence) buried.get(chain)?.delete(place);
    return undefined;
  }

  function promisedOf(chain: string) {
    const promised = manifest?.chains.find(one => one.chain === chain);
    if (manifest && !promised) throw new Failure('not_in_manifest', 'the export should not hold this chain', { chain });
    return promised;
  }

  /** The state before the first record of a chain that there should be: of the manifest, or the one that came first. */
  function begin(chain: string, came: { sequence: number; previousHash: string }): ChainState {
    const { first, previousHash } = promisedOf(chain) ?? { first: came.sequence, previousHash: came.previousHash };
    if (came.sequence < first)
      throw new Failure('not_in_manifest', 'the export should not hold this record', {
        chain,
        sequence: came.sequence,
      });
    const hash = first === 1 ? genesisHash : previousHash;
    for (const one of expected.get(chain) ?? []) if (one.size === first - 1) assertEqual(one, hash, null);
    const frontier = first === 1 ? [] : null;
    return { first, previousHash: hash, sequence: first - 1, lastRecord: first - 1, hash, frontier, recent: [] };
  }

  /** Chain after chain, as the manifest has them. */
  function assertInTurn(chain: string, sequence: number) {
    if (!manifest) return;
    const at = manifest.chains.findIndex(one => one.chain === chain);
    if (at < currentChain) throw new Failure('out_of_order', 'its chain ended before', { chain, sequence });
    currentChain = at;
  }

  function addRecord({ record, canonical, hash, keyId }: Extract<Line, { kind: 'record' }>) {
    const { chain, sequence, previousHash } = record;
    const place = { chain, sequence };
    if (of === 'stream' && chain === testChain) return;
    if (keys && of === 'export' && !manifest) throw new Failure('unsigned', 'there is no manifest before it', place);
    if (keys && !keys.keys.some(({ kid }) => kid === keyId))
      throw new Failure('unknown_key', `it names the key ${keyId}, which was not given`, place);
    sameTenant(record.tenantId);
    if (hashOf(previousHash, canonical) !== hash)
      throw new Failure('altered', 'the record does not hash to its hash', place);
    const state = chains.get(chain) ?? beginningBefore(record) ?? begin(chain, record);
    passRemoved(chain, state, sequence - 1);
    const next = state.sequence + 1;
    if (sequence > next) throw new Failure('missing', `records ${next} to ${sequence - 1} are missing`, place);
    if (sequence < next && sequence > state.lastRecord) {
      // A tombstone told of it, and it is there nevertheless: a legal hold came between.
      if (state.recent.at(sequence - next) !== hash) throw anotherBuried(chain, sequence);
      assertInTurn(chain, sequence);
      state.lastRecord = sequence;
      removed -= 1;
      records += 1;
      return;
    }
    if (sequence < next) {
      if (of === 'stream' && state.recent.at(sequence - next) === hash) return;
      throw new Failure('out_of_order', `record ${sequence} comes after record ${state.sequence}`, place);
    }
    if (previousHash !== state.hash)
      throw new Failure('broken_link', 'the record does not follow its predecessor', place);
    const waiting = buried.get(chain);
    if (waiting && (waiting.get(sequence) ?? hash) !== hash) throw anotherBuried(chain, sequence);
    waiting?.delete(sequence);
    assertInTurn(chain, sequence);
    advance(chain, state, hash);
    state.lastRecord = sequence;
    chains.set(chain, state);
    records += 1;
  }

  function advance(chain: string, state: ChainState, hash: string) {
    if (state.frontier) state.frontier = addLeaf(state.frontier, state.sequence, Buffer.from(hash, 'hex'));
    state.sequence += 1;
    state.hash = hash;
    state.recent.push(hash);
    if (state.recent.length > remembered * 2) state.recent.splice(0, remembered);
    const { sequence } = state;
    const promises = expected.get(chain);
    // What lies before the first record that there is cannot be looked at.
    for (let due = promises?.[0]; due && due.size <= sequence; due = promises?.[0]) {
      if (due.size === sequence) assertEqual(due, hash, state.frontier);
      promises?.shift();
    }
  }

  /** A failure of the log ends the verification; any other is not ours to swallow. */
  function note(error: unknown) {
    if (error instanceof Failure) finding = { line, ...error.finding };
    else if (error instanceof StatementError)
      finding = { line, chain: null, sequence: null, problem: error.problem, detail: error.message };
    else throw error;
  }

  async function attempt(step: () => Promise<void>) {
    if (!finding) await step().catch(note);
  }

  function readLine(text: string): Line {
    let entry: Line;
    try {
      entry = format.read(text);
    } catch (error) {
      throw new Failure('unreadable', error instanceof Error ? error.message : 'not a record');
    }
    if (!ignoreFields && !says(text, entry))
      throw new Failure('fields_differ', 'its fields are not what this version writes of the record that it holds');
    return entry;
  }

  function says(text: string, entry: Line): boolean {
    try {
      return saysWhatItHolds(format, text, entry);
    } catch {
      // A record with members of another type than Reeve writes cannot be written in this format.
      return false;
    }
  }

  function take(text: string): Promise<void> | undefined {
    if (of === 'export' && line === 1 && format.header !== undefined) {
      if (text === format.header) return undefined;
      throw new Failure('unreadable', 'the names of the columns are missing');
    }
    const entry = readLine(text);
    if (entry.kind === 'statement') return attempt(() => addStatement(entry.jws));
    addRecord(entry);
    return undefined;
  }

  /** The first line. What is wrong with a checkpoint from elsewhere is wrong with none of the lines. */
  async function begun(text: string) {
    line = 0;
    await attempt(readGiven);
    line = 1;
    await attempt(async () => take(text));
  }

  function assertComplete(since: string) {
    for (const [chain, state] of chains) passRemoved(chain, state);
    // Chains of which no record is left.
    for (const [chain, beginning] of beginnings) chains.set(chain, beginning);
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
    const newest = given?.toSorted((one, other) => other.content.number - one.content.number)[0];
    // A stream ends where its records do: they have reached what was given, or that is found below. The feed has no other.
    if (of === 'stream' && newest && newest.content.number > (last?.content.number ?? 0)) last = newest;
    const reached = new Map(last?.content.chains.map(({ chain, size }) => [chain, size]));
    const beyond = newest?.content.chains.find(({ chain, size }) => size > (reached.get(chain) ?? 0));
    if (newest && last && beyond) {
      const detail = `the log ends with checkpoint ${last.content.number}, but checkpoint ${newest.content.number} has more`;
      throw new Failure('truncated', detail, { chain: beyond.chain, sequence: beyond.size });
    }
    if (keys && !last)
      throw new Failure(
        'unsigned',
        'there is no checkpoint that it could be held against, so nothing shows who wrote this or where it ends',
      );
    if (manifest) return;
    for (const [chain, promises] of expected) {
      const missing = promises.find(({ time }) => chains.has(chain) || time >= since);
      if (missing)
        throw new Failure(
          'truncated',
          `checkpoint ${missing.checkpoint} tells of ${missing.size} records, the log ends at ${chains.get(chain)?.sequence ?? 'none'}`,
          { chain, sequence: missing.size },
        );
    }
    for (const { chain, size } of last?.content.chains ?? []) {
      const first = chains.get(chain)?.first ?? 0;
      if (first > size + 1)
        throw new Failure('missing', `records ${size + 1} to ${first - 1} are missing`, { chain, sequence: first });
    }
  }

  return {
    /** One line, without its end. To be awaited before the next where it returns a promise: a record, of which there are many, is done at once. */
    add(text: string): Promise<void> | undefined {
      line += 1;
      if (finding) return undefined;
      if (!given) return begun(text);
      try {
        return take(text);
      } catch (error) {
        note(error);
        return undefined;
      }
    },

    /** When there are no more lines. A chain whose last record is older than `since` (when a stream began) may be absent. */
    async end(since = ''): Promise<Verification> {
      line = 0;
      await attempt(async () => {
        if (!given) await readGiven();
        assertComplete(since);
      });
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
        removed,
        chains: [...chains].map(([chain, { first, sequence, hash }]) => ({ chain, first, last: sequence, head: hash })),
        checkpoint: last && {
          number: last.content.number,
          time: last.content.time,
          keyId: last.keyId,
          signatureChecked: keys !== undefined,
        },
        beyondCheckpoint,
        manifest: manifest && { time: manifest.time, from: manifest.from, to: manifest.to },
        finding,
      };
    },
  };
}

/**
 * Verifies the lines of one tenant's export or stream in their order. A part of an export (which takes no keys) may begin in the middle of a chain: then
 * the first record of each chain is taken as its beginning, and `first` says so by not being 1. `since` is when a stream began.
 */
export async function verifyLines(
  lines: AsyncIterable<string>,
  { since, ...options }: VerifyOptions & { since?: string | undefined },
): Promise<Verification> {
  const verifier = createVerifier(options);
  for await (const text of lines) {
    const pending = verifier.add(text);
    if (pending) await pending;
    if (verifier.failed()) break;
  }
  return verifier.end(since);
}
