// What may be used once, such as the assertion by which a client authenticates. The provider looks whether it is there
// and then puts it there; of two at the same moment, at two instances, both would find nothing. So whoever looks has
// taken it.
import { randomUUID } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { Adapter } from 'oidc-provider';

type Used = { by: string };

export const usedOnce = platformRecords<Used>({
  name: 'oidc_used_once',
  reason: 'an assertion names only its client, and the hash of both is the key',
});

type Parts = { records: PlatformRecords<Used>; clock: Clock };

/**
 * A proof (DPoP) counts for so long before and after the time that is in it, and the library would forget it so long
 * after it came.
 */
const proofWindowMs = 300_000;

/** Longer than anything that may be used once is good; what it is comes a moment later. */
const longestMs = 7_200_000;

export const replayDetectionAdapter = ({ records, clock }: Parts): Pick<Adapter, 'find' | 'upsert'> => {
  const after = (ms: number) => new Date(clock.now().getTime() + ms);
  return {
    async find(id) {
      const by = randomUUID();
      const kept = await records.change(id, used => (used ? null : { row: { by }, expiresAt: after(longestMs) }));
      return kept?.row.by === by ? undefined : { jti: id, kind: 'ReplayDetection' };
    },

    async upsert(id, _, expiresIn) {
      await records.put(id, { by: 'whoever was first' }, after((expiresIn ?? 0) * 1_000 + proofWindowMs));
    },
  };
};
