import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import type { Clock, Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { createUsedOnce } from '../../used-once.ts';
import type { ConnectionKind } from './kind.ts';
import { oidc } from './oidc/oidc.ts';
import { saml } from './saml/saml.ts';
import { usedAssertions } from './saml/used-assertions.ts';
import { createReadSecret } from './secret.ts';

type Parts = {
  vault: Vault;
  network: Pick<GuardedNetwork, 'fetch' | 'assertUrl'>;
  store: Pick<Store, 'platformRecords'>;
  clock: Clock;
  ownIssuer: string;
};

/** What kinds keep beside their connections. */
export const recordsOfKinds = [usedAssertions];

/** Every kind of connection there is. Callers and what is stored name them as they are named here. */
export function createKinds({ vault, network, store, clock, ownIssuer }: Parts) {
  const readSecret = createReadSecret({ vault });
  const once = createUsedOnce(store.platformRecords(usedAssertions));
  return {
    oidc: oidc({ readSecret, fetch: network.fetch, ownIssuer }),
    saml: saml({ readSecret, network, once, ownIssuer, clock }),
  } satisfies Record<string, ConnectionKind>;
}

export type Kinds = Readonly<ReturnType<typeof createKinds>>;
export type KindName = keyof Kinds;
