// The provider's own record of a browser: who is signed in there and which grants they gave to which application,
// behind a cookie. What it means is decided by our session, which the grants name.
import { createHash } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { requestScope } from './request-scope.ts';

export type BrowserLogin = { payload: string; uid: string };

export const browserLogins = platformRecords<BrowserLogin>({
  name: 'oidc_browser_logins',
  reason: 'a cookie is an opaque value that says nothing of a tenant',
  keys: ['uid'],
});

const keyOf = (id: string) => createHash('sha256').update(id).digest('hex');
const payloadOf = (found: { row: BrowserLogin } | null | undefined): AdapterPayload | undefined =>
  found ? (JSON.parse(found.row.payload) as AdapterPayload) : undefined;

type Parts = { records: PlatformRecords<BrowserLogin>; clock: Clock };

export function browserLoginAdapter({
  records,
  clock,
}: Parts): Pick<Adapter, 'upsert' | 'find' | 'findByUid' | 'destroy'> {
  return {
    async upsert(id, payload, expiresIn) {
      const { uid } = payload;
      if (uid === undefined) throw new TypeError('a login is looked up by its uid, and has none');
      const row = { payload: JSON.stringify(payload), uid };
      const expiresAt = new Date(clock.now().getTime() + (expiresIn ?? 0) * 1_000);
      requestScope().remember(`login ${id}`, payload);
      requestScope().remember(`login of ${uid}`, payload);
      requestScope().writeLater(`login ${id}`, () => records.put(keyOf(id), row, expiresAt));
    },

    find: id => requestScope().read(`login ${id}`, async () => payloadOf(await records.get(keyOf(id)))),

    findByUid: uid =>
      requestScope().read(`login of ${uid}`, async () => payloadOf((await records.findBy('uid', uid))[0])),

    async destroy(id) {
      requestScope().remember(`login ${id}`, undefined);
      requestScope().writeLater(`login ${id}`, () => records.remove(keyOf(id)));
    },
  };
}
