// oidc-provider's storage port on our store. Its artifacts are found by unguessable ids before any tenant is known, so they are
// platform records; what they grant is decided by our session, which has a tenant.
import type { PlatformRecords, Store } from '@reeve/store';
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider';

type Artifact = {
  /** JSON: a payload has keys such as URLs that are no field names. */
  payload: string;
  /** `<model>:<grant id>`: revoking a grant's tokens must not take its interaction with them. */
  grantOfModel?: string;
  uid?: string;
  userCode?: string;
};

export type Artifacts = PlatformRecords<Artifact>;

export type AdapterParts = {
  artifacts: Artifacts;
  /** A client's metadata by its id, from where clients are kept. */
  findClient: (id: string) => Promise<AdapterPayload | undefined>;
  now: () => Date;
};

export function defineArtifacts(store: Store): Artifacts {
  return store.platformRecords<Artifact>({
    name: 'oidc_artifacts',
    reason: 'tokens, codes and browser sessions are looked up by an opaque value that says nothing of a tenant',
    keys: ['grantOfModel', 'uid', 'userCode'],
  });
}

export function createAdapterFactory({ artifacts, findClient, now }: AdapterParts): (model: string) => Adapter {
  return model => {
    const keyOf = (id: string) => `${model}:${id}`;
    const payloadOf = (
      found: { row: Artifact; consumedAt: Date | undefined } | null | undefined,
    ): AdapterPayload | undefined => {
      if (!found) return undefined;
      const payload = JSON.parse(found.row.payload) as AdapterPayload;
      return found.consumedAt ? { ...payload, consumed: Math.floor(found.consumedAt.getTime() / 1000) } : payload;
    };
    const isOfModel = ({ row }: { row: Artifact }) => (JSON.parse(row.payload) as AdapterPayload).kind === model;

    return {
      async upsert(id, payload, expiresIn) {
        const { grantId, uid, userCode } = payload;
        const row: Artifact = {
          payload: JSON.stringify(payload),
          ...(grantId === undefined ? {} : { grantOfModel: keyOf(grantId) }),
          ...(uid === undefined ? {} : { uid }),
          ...(userCode === undefined ? {} : { userCode }),
        };
        await artifacts.put(keyOf(id), row, expiresIn ? new Date(now().getTime() + expiresIn * 1000) : null);
      },

      async find(id) {
        if (model === 'Client') return findClient(id);
        return payloadOf(await artifacts.get(keyOf(id)));
      },

      async findByUid(uid) {
        return payloadOf((await artifacts.findBy('uid', uid)).find(isOfModel));
      },

      async findByUserCode(userCode) {
        return payloadOf((await artifacts.findBy('userCode', userCode)).find(isOfModel));
      },

      /** Atomic: the library reads and then marks, so of two that come at once the second has to fail here. */
      async consume(id) {
        if (!(await artifacts.consume(keyOf(id)))) throw new errors.InvalidGrant('already used');
      },

      async destroy(id) {
        await artifacts.remove(keyOf(id));
      },

      async revokeByGrantId(grantId) {
        await artifacts.removeBy('grantOfModel', keyOf(grantId));
      },
    };
  };
}
