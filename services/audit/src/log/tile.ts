// 256 hashes of the Merkle tree over a chain: `record-tree.ts` says of what, and when one is made.
import { type Collections, collection } from '@reeve/store';

export type Tile = {
  /** In base64. */
  hashes: string;
};
export type Tiles = Collections<Tile>;

export const tiles = collection<Tile>({ name: 'audit_tree_tiles' });
