// The provider's storage port: which of its models lies where.
import { type Adapter, errors } from 'oidc-provider';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { SignInRecords } from '../sign-in/sign-in.ts';
import { clientKey, metadataOf } from './client-metadata.ts';
import type { GrantStore } from './grants.ts';
import { requestScope } from './request-scope.ts';

type Parts = {
  applications: ApplicationDirectory;
  signIns: SignInRecords;
  grants: GrantStore;
  login: Partial<Adapter>;
  artifact: (model: string) => Partial<Adapter>;
  replayDetection: Partial<Adapter>;
  deviceCode: Partial<Adapter>;
};

const nothing: Adapter = {
  upsert: unexpected,
  find: async () => undefined,
  findByUid: async () => undefined,
  findByUserCode: async () => undefined,
  consume: unexpected,
  destroy: async () => undefined,
  revokeByGrantId: async () => undefined,
};

async function unexpected(): Promise<never> {
  throw new TypeError('the provider wants to store what it was not configured for');
}

export function createAdapterFactory({
  applications,
  signIns,
  grants,
  login,
  artifact,
  replayDetection,
  deviceCode,
}: Parts): (model: string) => Adapter {
  const revokeByGrantId = (grantId: string) => grants.removeGrant(grantId);

  const models: Record<string, Partial<Adapter>> = {
    Client: {
      find: id => requestScope().read(clientKey(id), async () => metadataOf(await applications.find(id))),
    },
    Session: login,
    Interaction: {
      upsert: async (uid, payload) => signIns.saveInteraction(uid, payload),
      find: uid => signIns.findInteraction(uid),
      destroy: async uid => signIns.remove(uid),
    },
    Grant: {
      upsert: (id, payload) => grants.saveGrant(id, payload),
      find: id => grants.findGrant(id),
      destroy: revokeByGrantId,
    },
    AuthorizationCode: {
      upsert: (id, payload) => grants.saveCode(id, payload),
      find: id => grants.findCode(id),
      async consume(id) {
        if (!(await grants.useCode(id))) throw new errors.InvalidGrant('authorization code already consumed');
      },
      revokeByGrantId,
    },
    RefreshToken: {
      upsert: (id, payload) => grants.saveRefreshToken(id, payload),
      find: id => grants.findRefreshToken(id),
      async consume(id) {
        if (!(await grants.followRefreshToken(id))) throw new errors.InvalidGrant('refresh token already used');
      },
      destroy: async id => {
        const grantId = (await grants.findRefreshToken(id))?.grantId;
        if (grantId !== undefined) await grants.removeGrant(grantId);
      },
      revokeByGrantId,
    },
    AccessToken: artifact('AccessToken'),
    ClientCredentials: artifact('ClientCredentials'),
    ReplayDetection: replayDetection,
    DeviceCode: deviceCode,
    PushedAuthorizationRequest: artifact('PushedAuthorizationRequest'),
  };
  return model => ({ ...nothing, ...models[model] });
}
