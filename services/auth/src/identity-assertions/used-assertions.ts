// Identity assertions that were redeemed, each of which counts once (`jti`), at whichever instance it comes.
import { platformRecords } from '@reeve/store';
import type { UsedRow } from '../used-once.ts';

export const usedIdentityAssertions = platformRecords<UsedRow>({
  name: 'used_identity_assertions',
  reason: 'an assertion is looked up by a hash of the connection and its id, which are in the key',
});
