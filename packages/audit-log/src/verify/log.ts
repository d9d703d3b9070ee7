// One tenant's log, entry by entry: whose it is, its chains, its manifest and the checkpoints. `take`, `end` throw a
// Failure or a StatementError for what is wrong with it.
import type { Line } from '../formats/entry.ts';
import { hashOf, testChain } from '../record.ts';
import {
  decodeStatement,
  isSigningKey,
  type KeySet,
  type Manifest,
  readStatement,
  type Tombstone,
} from '../statements.ts';
import { addHead, addRecord, addTombstone, type Chain, finish, newChain } from './chain.ts';
import { assertAgrees, headsOf, newer, type SignedCheckpoint } from './checkpoints.ts';
import { assertComplete } from './end.ts';
import { Failure } from './finding.ts';
import { assertInCheckpoint, notInManifest, turnOf } from './manifest.ts';
import type { Verified } from './verification.ts';

export type LogOptions = {
  /** Without them no signature is checked, and the result says so. */
  keys?: KeySet | undefined;
  /**
   * An `export` begins with its manifest, unless no keys are given: then it may be a part. A `stream` (the topic, a
   * sink, the feed) has none, delivers at least once, and begins with the log unless `since` says otherwise.
   */
  of?: 'export' | 'stream';
  /** Checkpoints obtained elsewhere: the log has to be the one that they tell of, and to reach them. */
  checkpoints?: readonly string[];
  /** Whose log it has to be; otherwise that of the first who is named. */
  tenantId?: string | undefined;
};

type RecordLine = Extract<Line, { kind: 'record' }>;

export function createLog({ keys, of = 'export', checkpoints = [], tenantId: expected }: LogOptions) {
  const isStream = of === 'stream';
  const kids = keys && new Set(keys.keys.filter(isSigningKey).map(({ kid }) => kid));
  let chains = new Map<string, Chain>();
  let tenantId = expected ?? null;
  let given: SignedCheckpoint[] = [];
  let last: SignedCheckpoint | null = null;
  let manifest: Manifest | null = null;
  let turn = 0;

  function assertTenant(other: string) {
    tenantId ??= other;
    if (other !== tenantId) throw new Failure('other_tenant', `it belongs to ${other}`);
  }

  function assertManifestCame(chain: string, sequence?: number) {
    if (!keys || isStream || manifest) return;
    throw new Failure('unsigned', 'there is no manifest before it', { chain, ...(sequence ? { sequence } : {}) });
  }

  const chainOf = (name: string) => chains.get(name) ?? newChain(name);

  /** False where a record is too far back to be held against what it says. */
  function compare(checkpoint: SignedCheckpoint): boolean {
    let isCompared = true;
    for (const head of headsOf(checkpoint)) {
      const next = addHead(chainOf(head.chain), head);
      if (next) chains.set(head.chain, next);
      else isCompared = false;
    }
    return isCompared;
  }

  function addCheckpoint(checkpoint: SignedCheckpoint) {
    assertTenant(checkpoint.content.tenantId);
    assertAgrees(checkpoint, last ? [...given, last] : given);
    if (compare(checkpoint)) last = newer(last, checkpoint);
  }

  const read = async (jws: string) => (keys ? readStatement(jws, keys) : decodeStatement(jws));

  async function readCheckpoint(jws: string): Promise<SignedCheckpoint> {
    const { kind, keyId, content } = await read(jws);
    if (kind === 'reeve-checkpoint') return { content, keyId, jws };
    throw new Failure('unreadable', 'another statement stands where a checkpoint should');
  }

  function addTombstoneOf(tombstone: Tombstone) {
    const { chain } = tombstone;
    assertTenant(tombstone.tenantId);
    assertManifestCame(chain);
    if (manifest && !chainOf(chain).range) throw notInManifest(chain);
    chains.set(chain, addTombstone(chainOf(chain), tombstone));
  }

  async function addManifest(content: Manifest) {
    assertTenant(content.tenantId);
    manifest = content;
    for (const range of content.chains) chains.set(range.chain, { ...chainOf(range.chain), range });
    const checkpoint = await readCheckpoint(content.checkpoint);
    addCheckpoint(checkpoint);
    assertInCheckpoint(content, checkpoint);
  }

  async function addStatement(jws: string): Promise<void> {
    const { kind, keyId, content } = await read(jws);
    if (kind === 'reeve-tombstone') return addTombstoneOf(content);
    if (isStream) {
      if (kind === 'reeve-checkpoint') return addCheckpoint({ content, keyId, jws });
      throw new Failure('unreadable', 'another statement stands where a checkpoint should');
    }
    if (kind === 'reeve-export' && !manifest && [...chains.values()].every(({ position }) => !position))
      return addManifest(content);
    throw new Failure('unreadable', 'an export has one manifest, at its beginning, and no other statement');
  }

  function addRecordOf({ record, canonical, hash, keyId }: RecordLine) {
    const { tenantId: other, chain, sequence, previousHash } = record;
    if (isStream && chain === testChain) return;
    assertManifestCame(chain, sequence);
    if (kids && !kids.has(keyId))
      throw new Failure('unknown_key', `it names the key ${keyId}, which was not given`, { chain, sequence });
    assertTenant(other);
    const computed = hashOf(previousHash, canonical);
    if (computed !== hash) throw new Failure('altered', 'the record does not hash to its hash', { chain, sequence });
    if (manifest) turn = turnOf(manifest, turn, record);
    const link = { sequence, previousHash, hash: computed };
    chains.set(chain, addRecord(chainOf(chain), link, { mayComeAgain: isStream }));
  }

  return {
    /** Before the first entry, so that what is known from elsewhere is held against the records as they come. */
    async readGiven() {
      for (const jws of checkpoints) {
        const checkpoint = await readCheckpoint(jws);
        assertTenant(checkpoint.content.tenantId);
        assertAgrees(checkpoint, given);
        given = [...given, checkpoint];
        compare(checkpoint);
      }
    },

    /**
     * To be awaited before the next where it returns a promise: a record, of which there are many, is done at once.
     */
    take(entry: Line): Promise<void> | undefined {
      if (entry.kind === 'statement') return addStatement(entry.jws);
      addRecordOf(entry);
      return undefined;
    },

    end(since: string | undefined) {
      chains = new Map([...chains].map(([name, chain]) => [name, finish(chain)]));
      last = assertComplete({ chains, manifest, given, last, isStream, hasKeys: keys !== undefined, since });
    },

    verified: (): Verified => ({ tenantId, chains, last, given, manifest, hasKeys: keys !== undefined }),
  };
}
