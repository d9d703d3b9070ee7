// The way to change the settings of a connection: what they were is kept, and who changed them is written down.
import type { Cause, TenantId } from '@reeve/contracts';
import { type Clock, type Decision, type Entry, VersionConflictError } from '@reeve/store';
import { type Connection, type Connections, type Making, making, secretNameOf } from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import {
  isSameRevision,
  numberOf,
  presentRevision,
  type Revision,
  type Revisions,
  slotOf,
} from './connection-revision.ts';
import { type ConnectionSecrets, newSecretName } from './connection-secret.ts';

type Parts = {
  connections: Connections;
  revisions: Revisions;
  secrets: ConnectionSecrets;
  directory: ConnectionDirectory;
  clock: Clock;
};

type Options = {
  cause: Cause;
  expectedVersion?: number | undefined;
  /** Null where the settings that differ are not worth a revision. */
  because: Making['because'] | null;
  /** That belongs to the settings which are decided; null where it stays as it is. */
  secret?: string | null;
};

export type ChangeConnection = ReturnType<typeof createChangeConnection>;

export function createChangeConnection({ connections, revisions, secrets, directory, clock }: Parts) {
  async function keep(tenantId: TenantId, revision: Revision, cause: Cause): Promise<void> {
    // Whoever is late does not take the place of a later one.
    const decide = (was: Revision | null) =>
      was && was.number > revision.number ? null : { state: revision, events: [] };
    await revisions.in(tenantId).change(slotOf(revision.connectionId, revision.number), decide, { cause });
  }

  /**
   * As `change` of a collection does it. Null for a connection that is not there. Throws VersionConflictError for
   * another version than the one that was expected.
   */
  return async function changeConnection(
    { tenantId, id }: { tenantId: TenantId; id: string },
    decide: (connection: Connection) => Decision<Connection>,
    { cause, because, secret = null, expectedVersion }: Options,
  ): Promise<Entry<Connection> | null> {
    const revised = (was: Connection, next: Connection): Connection | null => {
      if (because === null || isSameRevision(was, next)) return null;
      return { ...next, revision: making(numberOf(was) + 1, because, { cause, at: clock.now() }) };
    };
    const of = { tenantId, connectionId: id, cause };
    const secretName = secret === null ? null : newSecretName(id);
    const named = (was: Connection): Pick<Connection, 'secretName' | 'formerSecretName'> =>
      secretName === null ? {} : { secretName, formerSecretName: secretNameOf(id, was) };
    let replaced: string | undefined;
    try {
      const entry = await connections.in(tenantId).change(
        id,
        was => {
          const decided = was && decide(was);
          return decided && { ...decided, state: { ...(revised(was, decided.state) ?? decided.state), ...named(was) } };
        },
        {
          cause,
          expectedVersion,
          async gather(was) {
            const decided = was && decide(was);
            if (!decided) return;
            if (revised(was, decided.state)) await keep(tenantId, presentRevision(id, was), cause);
            if (secret === null || secretName === null) return;
            // Before the settings that it belongs to.
            await secrets.put(of, secretName, secret);
            replaced = was.formerSecretName;
          },
        },
      );
      const unused = entry?.state.secretName === secretName ? replaced : (secretName ?? undefined);
      if (unused !== undefined) await secrets.forget(of, unused);
      return entry;
    } catch (error) {
      // Of any other failure it is not known whether the change was made.
      if (secretName !== null && error instanceof VersionConflictError) await secrets.forget(of, secretName);
      throw error;
    } finally {
      directory.forget(tenantId);
    }
  };
}
