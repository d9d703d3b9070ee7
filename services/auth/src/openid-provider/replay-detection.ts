// What may be used once, such as the assertion by which a client authenticates. The provider looks whether it is there and
// then puts it there; of two at the same moment, at two instances, both would find nothing. So it is decided when it is
// put.
import { randomUUID } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import { type Adapter, errors } from 'oidc-provider';

type Used = { by: string };

export const usedOnce = platformRecords<Used>({
  name: 'oidc_used_once',
  reason: 'an assertion names only its client, and the hash of both is the key',
});

type Parts = { records: PlatformRecords<Used>; clock: Clock };

export const replayDetectionAdapter = ({ records, clock }: Parts): Pick<Adapter, 'find' | 'upsert'> => ({
  find: async () => undefined,

  async upsert(id, _, expiresIn) {
    const by = randomUUID();
    const expiresAt = new Date(clock.now().getTime() + Math.max(1, expiresIn ?? 0) * 1_000);
    const kept = await records.change(id, used => (used ? null : { row: { by }, expiresAt }));
    if (kept?.row.by !== by) throw new errors.InvalidClientAuth('client assertion tokens must only be used once');
  },
});
