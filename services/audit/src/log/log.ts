// All that a log consists of in the store, and the key that signs what is said of it.
import type { Clock, Contents, Store } from '@reeve/store';
import { type Checkpoints, checkpoints } from './checkpoint.ts';
import { type Heads, heads } from './head.ts';
import { type Records, records } from './record.ts';
import type { SigningKey } from './signing-key.ts';
import { type Tiles, tiles } from './tile.ts';
import { type Tombstones, tombstones } from './tombstone.ts';

export type Log = {
  records: Records;
  tombstones: Tombstones;
  heads: Heads;
  checkpoints: Checkpoints;
  tiles: Tiles;
  signingKey: () => SigningKey;
  clock: Clock;
};

export const logCollections = [records, tombstones, heads, checkpoints, tiles] satisfies Contents['collections'];

export const openLog = (store: Store, signingKey: () => SigningKey): Log => ({
  records: store.collection(records),
  tombstones: store.collection(tombstones),
  heads: store.collection(heads),
  checkpoints: store.collection(checkpoints),
  tiles: store.collection(tiles),
  signingKey,
  clock: store.clock,
});
