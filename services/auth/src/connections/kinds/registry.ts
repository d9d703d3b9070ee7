import type { Fetch } from '@reeve/relying-party';
import type { Vault } from '@reeve/vault';
import type { ConnectionKind } from './kind.ts';
import { oidc } from './oidc/oidc.ts';

type Parts = { vault: Vault; fetch: Fetch; ownIssuer: string };

/** Every kind of connection there is. Callers and what is stored name them as they are named here. */
export const createKinds = (parts: Parts) =>
  ({
    oidc: oidc(parts),
  }) satisfies Record<string, ConnectionKind>;

export type Kinds = Readonly<ReturnType<typeof createKinds>>;
export type KindName = keyof Kinds;
