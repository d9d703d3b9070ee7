import type { Vault } from '@reeve/vault';
import type { Checkpointer } from '../log/checkpointer.ts';
import type { Log } from '../log/log.ts';
import type { Outside } from './kinds/delivery.ts';
import type { Runs } from './run.ts';
import type { Sinks } from './sink.ts';

/** What the log, the sinks and the way to their receivers are read and changed with. */
export type SinkParts = Omit<Log, 'tiles'> &
  Outside & { checkpointer: Pick<Checkpointer, 'sign'>; sinks: Sinks; runs: Runs; vault: Vault };
