// What identity providers have signed for us to act on, each of which counts once (`jti`).
import { platformRecords } from '@reeve/store';
import type { UsedRow } from '../used-once.ts';

export const usedSignals = platformRecords<UsedRow>({
  name: 'used_signals',
  reason: 'a signed statement is looked up by a hash of the connection and its id, which are in the key',
});
