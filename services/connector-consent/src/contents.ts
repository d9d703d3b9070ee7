// What lies in this service's database.
import { browserSessionRecords } from '@reeve/browser-session';
import type { Contents } from '@reeve/store';
import { vaultCollections } from '@reeve/vault';
import { pendingConnections } from './connections/third-party.ts';
import { consents } from './consents/consent.ts';
import { delegatedTokens } from './delegated-tokens/delegated-tokens.ts';
import { installations } from './installations/installation.ts';

export const contents: Contents = {
  collections: [installations, consents, delegatedTokens, ...vaultCollections],
  platformRecords: [pendingConnections, ...browserSessionRecords],
};
