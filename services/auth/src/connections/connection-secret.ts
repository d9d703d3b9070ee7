// The secret of a connection has another name each time that it is set, and the connection keeps the name beside the
// settings that the secret belongs to. So whoever loses against another change has replaced nothing, and settings of a
// second ago find the secret of then: no secret is sent to a provider that it was not set for. The one before is kept
// until the next, for those who are on their way through a sign-in.
import { randomBytes } from 'node:crypto';
import type { Cause, TenantId } from '@reeve/contracts';
import { type Collections, collection } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { connectionSecretClass } from './kinds/kind.ts';

type Names = { names: string[] };

/** By the id of the connection: every name that a secret of it may have in the vault. */
export const secretNames = collection<Names>({ name: 'sso_connection_secrets' });

type Of = { tenantId: TenantId; connectionId: string; cause: Cause };

export type ConnectionSecrets = ReturnType<typeof createConnectionSecrets>;

export const newSecretName = (connectionId: string): string =>
  `${connectionId}.${randomBytes(9).toString('base64url')}`;

export function createConnectionSecrets({ vault, names }: { vault: Vault; names: Collections<Names> }) {
  const refOf = (name: string) => ({ secretClass: connectionSecretClass, id: name });

  /** Before there is anything by that name, so that whatever ends in between, it is found when the connection goes. */
  async function note({ tenantId, connectionId, cause }: Of, change: (known: string[]) => string[]): Promise<void> {
    const decide = (was: Names | null) => ({ state: { names: change(was?.names ?? []) }, events: [] });
    await names.in(tenantId).change(connectionId, decide, { cause });
  }

  async function forget(of: Of, name: string): Promise<void> {
    await vault.destroy(of.tenantId, refOf(name), of.cause);
    await note(of, known => known.filter(one => one !== name));
  }

  return {
    async put(of: Of, name: string, secret: string): Promise<void> {
      await note(of, known => [...new Set([...known, name])]);
      await vault.put(of.tenantId, refOf(name), secret, of.cause);
    },

    /** What nothing refers to. That it fails harms nobody: it is forgotten with the connection. */
    forget: (of: Of, name: string): Promise<void> => forget(of, name).catch(() => undefined),

    async forgetAll(of: Of): Promise<void> {
      const known = await names.in(of.tenantId).get(of.connectionId);
      // The id itself is the name of those that were set before they had one of their own.
      for (const name of [of.connectionId, ...(known?.state.names ?? [])])
        await vault.destroy(of.tenantId, refOf(name), of.cause);
      await names.in(of.tenantId).removeAll([of.connectionId]);
    },
  };
}
