// Which assertions have been used.
import { platformRecords } from '@reeve/store';
import type { UsedRow } from '../../../used-once.ts';

export const usedAssertions = platformRecords<UsedRow>({
  name: 'used_assertions',
  reason: 'an assertion is looked up by a hash of the connection and its id, which are in the key',
});
