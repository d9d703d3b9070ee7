// What lies in this service's database.
import type { Contents } from '@reeve/store';
import { vaultCollections } from '@reeve/vault';
import { clients } from './clients/client.ts';
import { connections } from './connections/connection.ts';
import { artifacts } from './openid-provider/artifacts.ts';
import { browserLogins } from './openid-provider/browser-logins.ts';
import { grants } from './openid-provider/grants.ts';
import { peopleChanges } from './sessions/people-changes.ts';
import { sessions } from './sessions/session.ts';
import { signIns } from './sign-in/sign-in.ts';
import { signingKeys } from './signing-keys/signing-keys.ts';

export const contents: Contents = {
  collections: [clients, connections, sessions, peopleChanges, signingKeys, ...vaultCollections],
  platformRecords: [signIns, grants, browserLogins, artifacts],
};
