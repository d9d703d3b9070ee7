// Merkle trees as RFC 9162 §2.1 has them (the same as RFC 6962), over the hashes of a chain's records: what lets a
// checkpoint prove one record without the others, and two checkpoints that the later one only adds.
// https://www.rfc-editor.org/rfc/rfc9162.html#section-2.1 Written here: the one package on npm that does this
// (@transmute/rfc9162) has not been kept since 2023.
import { hash as digest } from 'node:crypto';

/** Roots of the complete subtrees of a tree, largest (leftmost) first: all that is needed to go on adding leaves. */
export type Frontier = readonly Buffer[];

/** The root of the complete subtree of 2^level leaves that begins at leaf `index`·2^level. */
export type Subtree = (level: number, index: number) => Promise<Buffer>;

/** By way of hex, since Node takes longer to make a buffer by itself. */
const sha256 = (bytes: Uint8Array) => Buffer.from(digest('sha256', bytes, 'hex'), 'hex');
const leafPrefix = Buffer.of(0);
const nodePrefix = Buffer.of(1);

export const leafHash = (leaf: Uint8Array): Buffer => sha256(Buffer.concat([leafPrefix, leaf]));

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer =>
  sha256(Buffer.concat([nodePrefix, left, right]));

/** The root of no leaves is the hash of nothing. */
export const emptyRoot = sha256(Buffer.alloc(0));

/** `size` is how many leaves there were before. */
export const addLeaf = (frontier: Frontier, size: number, leaf: Uint8Array): Frontier =>
  grow(frontier, size, { hash: leafHash(leaf), join: nodeHash });

function grow<Hash>(
  frontier: readonly Hash[],
  size: number,
  { hash: leaf, join }: { hash: Hash; join: (left: Hash, right: Hash) => Hash },
): readonly Hash[] {
  let hash = leaf;
  let complete = frontier.length;
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    complete -= 1;
    hash = join(frontier[complete] as Hash, hash);
  }
  return [...frontier.slice(0, complete), hash];
}

// The same in hex, at half the price: a verifier does it for each record, and has the hashes of records in hex. What
// is hashed is laid down where it was for the record before.
const leafBytes = Buffer.alloc(33);
const nodeBytes = Buffer.alloc(65, 1);

function hexLeafHash(leaf: string): string {
  leafBytes.write(leaf, 1, 'hex');
  return digest('sha256', leafBytes, 'hex');
}

function hexNodeHash(left: string, right: string): string {
  nodeBytes.write(left, 1, 'hex');
  nodeBytes.write(right, 33, 'hex');
  return digest('sha256', nodeBytes, 'hex');
}

export type HexFrontier = readonly string[];

/** A leaf of 32 bytes. */
export const addHexLeaf = (frontier: HexFrontier, size: number, leaf: string): HexFrontier =>
  grow(frontier, size, { hash: hexLeafHash(leaf), join: hexNodeHash });

export const hexRootOf = (frontier: HexFrontier): string =>
  rootOf(frontier.map(hash => Buffer.from(hash, 'hex'))).toString('hex');

export function rootOf(frontier: Frontier): Buffer {
  return frontier.length === 0 ? emptyRoot : frontier.reduceRight((right, left) => nodeHash(left, right));
}

export function rootOfLeaves(leaves: readonly Uint8Array[]): Buffer {
  return rootOf(leaves.reduce<Frontier>((frontier, leaf, size) => addLeaf(frontier, size, leaf), []));
}

/** The largest power of two below `size`. */
const splitOf = (size: number) => 2 ** (Math.ceil(Math.log2(size)) - 1);

/**
 * The hash over leaves `from` to `to` (exclusive). `from` is a multiple of the split of what is above it, so that
 * complete parts are subtrees.
 */
async function rangeHash(from: number, to: number, subtree: Subtree): Promise<Buffer> {
  const size = to - from;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return subtree(level, from / size);
  const split = splitOf(size);
  return nodeHash(await rangeHash(from, from + split, subtree), await rangeHash(from + split, to, subtree));
}

/** RFC 9162 §2.1.3.1: the way from a leaf (from 0) to the root of a tree of `size` leaves, lowest first. */
export async function inclusionPath(leaf: number, size: number, subtree: Subtree): Promise<Buffer[]> {
  const path: Buffer[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (leaf < middle) {
      path.unshift(await rangeHash(middle, to, subtree));
      to = middle;
    } else {
      path.unshift(await rangeHash(from, middle, subtree));
      from = middle;
    }
  }
  return path;
}

/** RFC 9162 §2.1.4.1: that the tree of `newer` leaves begins with the tree of `older`; both at least 1. */
export async function consistencyPath(older: number, newer: number, subtree: Subtree): Promise<Buffer[]> {
  const path: Buffer[] = [];
  let [from, to] = [0, newer];
  // Whether the older tree is a whole subtree here, whose root the verifier has.
  let known = true;
  while (older < to) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      path.unshift(await rangeHash(middle, to, subtree));
      to = middle;
    } else {
      path.unshift(await rangeHash(from, middle, subtree));
      from = middle;
      known = false;
    }
  }
  return known ? path : [await rangeHash(from, to, subtree), ...path];
}

/** RFC 9162 §2.1.3.2. */
export function includes(
  { leaf, index, size }: { leaf: Uint8Array; index: number; size: number },
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (index < 0 || index >= size) return false;
  let [position, last] = [index, size - 1];
  let hash = leafHash(leaf);
  for (const sibling of path) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 && hash.equals(root);
}

type Tree = { size: number; root: Uint8Array };

/** RFC 9162 §2.1.4.2. */
export function extendsTree(older: Tree, newer: Tree, path: readonly Uint8Array[]): boolean {
  const same = Buffer.from(older.root).equals(newer.root);
  if (older.size === newer.size) return path.length === 0 && same;
  if (older.size < 1 || older.size > newer.size) return false;
  const isSubtree = Number.isInteger(Math.log2(older.size));
  const [first, ...rest] = isSubtree ? [older.root, ...path] : path;
  if (!first || path.length === 0) return false;
  let [position, last] = [older.size - 1, newer.size - 1];
  while (position % 2 === 1) [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  let [olderHash, newerHash]: [Buffer, Buffer] = [Buffer.from(first), Buffer.from(first)];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      [olderHash, newerHash] = [nodeHash(sibling, olderHash), nodeHash(sibling, newerHash)];
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, Math.floor(last / 2)];
    } else {
      newerHash = nodeHash(newerHash, sibling);
    }
    [position, last] = [Math.floor(position / 2), Math.floor(last / 2)];
  }
  return last === 0 && olderHash.equals(older.root) && newerHash.equals(newer.root);
}
