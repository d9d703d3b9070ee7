import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  addLeaf,
  consistencyPath,
  emptyRoot,
  extendsTree,
  type Frontier,
  includes,
  inclusionPath,
  leafHash,
  nodeHash,
  rootOf,
  rootOfLeaves,
  type Subtree,
} from './merkle.ts';

// The test vectors of the Certificate Transparency reference implementation: eight leaves, in hex, and the root after
// each.
const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** The definition of the RFC, word for word. */
function definition(hashed: readonly Buffer[]): Buffer {
  const [only] = hashed;
  if (!only) return emptyRoot;
  if (hashed.length === 1) return only;
  let split = 1;
  while (split * 2 < hashed.length) split *= 2;
  return nodeHash(definition(hashed.slice(0, split)), definition(hashed.slice(split)));
}

const leafOf = (n: number) => Buffer.from(`leaf ${n}`);
const treeOf = (size: number) => Array.from({ length: size }, (_, n) => leafOf(n));
const subtreeOf =
  (count: number): Subtree =>
  async (level, index) => {
    const width = 2 ** level;
    if ((index + 1) * width > count) throw new Error('not complete');
    return definition(
      treeOf(count)
        .slice(index * width, (index + 1) * width)
        .map(leafHash),
    );
  };

describe('a tree', () => {
  test('has the roots of the reference implementation, however it grows', () => {
    let frontier: Frontier = [];
    for (const [size, leaf] of leaves.entries()) {
      frontier = addLeaf(frontier, size, Buffer.from(leaf, 'hex'));
      expect(rootOf(frontier).toString('hex')).toBe(roots[size]);
    }
    expect(rootOf([]).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('of any size has the root that the RFC defines', () => {
    for (let size = 0; size < 70; size += 1)
      expect(rootOfLeaves(treeOf(size))).toEqual(definition(treeOf(size).map(leafHash)));
  });
});

const size = fc.integer({ min: 1, max: 200 });

describe('a proof of inclusion', () => {
  test('holds for every leaf of every size, and for no other leaf, place, size or root', async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (count, at, other) => {
        const index = at % count;
        const path = await inclusionPath(index, count, subtreeOf(count));
        const root = rootOfLeaves(treeOf(count));
        expect(includes({ leaf: leafOf(index), index, size: count }, path, root)).toBe(true);
        expect(includes({ leaf: leafOf(count), index, size: count }, path, root)).toBe(false);
        expect(includes({ leaf: leafOf(index), index, size: count }, path, leafHash(root))).toBe(false);
        expect(includes({ leaf: leafOf(index), index, size: count }, [...path, root], root)).toBe(false);
        const elsewhere = other % (count * 2);
        if (elsewhere !== index)
          expect(includes({ leaf: leafOf(index), index: elsewhere, size: count }, path, root)).toBe(false);
        if (path.length > 0)
          expect(includes({ leaf: leafOf(index), index, size: count }, path.slice(1), root)).toBe(false);
      }),
    );
  });
});

describe('a proof of consistency', () => {
  test('holds for every two sizes of one tree, and for no tree that was rewritten', async () => {
    await fc.assert(
      fc.asyncProperty(size, size, async (one, two) => {
        const [older, newer] = [Math.min(one, two), Math.max(one, two)];
        const path = await consistencyPath(older, newer, subtreeOf(newer));
        const before = { size: older, root: rootOfLeaves(treeOf(older)) };
        const after = { size: newer, root: rootOfLeaves(treeOf(newer)) };
        expect(extendsTree(before, after, path)).toBe(true);
        const rewritten = rootOfLeaves([...treeOf(older - 1), Buffer.from('another')]);
        expect(extendsTree({ size: older, root: rewritten }, after, path)).toBe(false);
        expect(extendsTree(before, { size: newer, root: rewritten }, path)).toBe(false);
        if (path.length > 0) expect(extendsTree(before, after, path.slice(1))).toBe(false);
      }),
    );
  });
});
