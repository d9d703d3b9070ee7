// Devices that wait for somebody to sign in for them (RFC 8628). What the device holds and what the person types are
// known by their hashes; a code that was decided about is not decided about again, and is used by one.
import { createHash } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import { requestScope } from './request-scope.ts';

export type DeviceCode = { payload: string; userCode: string; grantId?: string; isUsed?: boolean };

export const deviceCodes = platformRecords<DeviceCode>({
  name: 'oidc_device_codes',
  reason: 'a device and its code are known before anybody has signed in',
  keys: ['userCode', 'grantId'],
});

/** Within the provider one is called by its hash too, where only that is known. No device may call it so. */
const inside = 'by-hash:';

/** So much longer it can be said of one that it has expired (RFC 8628 §3.5), and not that it never was. */
const rememberedMs = 600_000;

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const read = ({ payload }: DeviceCode) => JSON.parse(payload) as AdapterPayload;
/** Somebody has said yes or no, or it is used. */
const isDecided = (row: DeviceCode) => {
  const { accountId, error } = read(row);
  return row.isUsed === true || accountId !== undefined || error !== undefined;
};

type Parts = { records: PlatformRecords<DeviceCode>; clock: Clock };

export function deviceCodeAdapter({ records, clock }: Parts): Partial<Adapter> {
  const keyOf = (id: string) => (id.startsWith(inside) ? id.slice(inside.length) : hashOf(id));
  const expiryOf = (row: DeviceCode) => new Date((read(row).exp ?? 0) * 1_000 + rememberedMs);

  return {
    async upsert(id, payload) {
      const { jti: _, userCode, ...kept } = payload;
      const { grantId } = payload;
      const decide = (before: DeviceCode | null) => {
        if (before && isDecided(before)) return null;
        const known = userCode === undefined ? before?.userCode : hashOf(userCode);
        if (known === undefined) throw new TypeError('a device waits without a code to type');
        const row = {
          payload: JSON.stringify(kept),
          userCode: known,
          ...(grantId === undefined ? {} : { grantId }),
        };
        return { row, expiresAt: expiryOf(row) };
      };
      const isClaim = kept['inFlight'] && kept.accountId === undefined && kept['error'] === undefined;
      if (!isClaim) return requestScope().writeLater(`device ${id}`, () => records.change(keyOf(id), decide));
      // Somebody says that it is theirs. The library has looked whether somebody else has; of two at the same moment,
      // each would sign in, and one of them in vain.
      let isFirst = false;
      await records.change(keyOf(id), before => {
        isFirst = before !== null && !isDecided(before) && !read(before)['inFlight'];
        return isFirst ? decide(before) : null;
      });
      if (!isFirst) throw new errors.InvalidRequest('the code has already been used');
    },

    async find(id) {
      const found = await records.get(keyOf(id));
      if (!found) return undefined;
      const used = found.row.isUsed ? { consumed: Math.floor(clock.now().getTime() / 1_000) } : {};
      return { ...read(found.row), jti: id, ...used };
    },

    async findByUserCode(userCode) {
      const [found] = await records.findBy('userCode', hashOf(userCode));
      return found && { ...read(found.row), jti: `${inside}${found.id}`, userCode };
    },

    /** Of those who come at once all but one are refused when the request ends; whoever comes later ends the grant. */
    async consume(id) {
      const refused = new errors.InvalidGrant('device code already consumed');
      if (id.startsWith(inside)) throw refused;
      requestScope().writeLast(async () => {
        let isFirst = false;
        await records.change(keyOf(id), row => {
          isFirst = row !== null && row.isUsed !== true;
          return isFirst && row ? { row: { ...row, isUsed: true }, expiresAt: expiryOf(row) } : null;
        });
        if (!isFirst) throw refused;
      });
    },

    destroy: id => records.remove(keyOf(id)),
    revokeByGrantId: grantId => records.removeBy('grantId', grantId),
  };
}
