// Reading again what an identity provider says of itself, be it time for that or asked for: what is new is taken, and
// what went wrong is kept with the connection, for its administrators to see.
import { type Cause, event, type Id, ProblemError, type ReasonOf, type TenantId } from '@reeve/contracts';
import { type Clock, changedIn, type Decision, type Entry } from '@reeve/store';
import type { Connection, RefreshProblem } from './connection.ts';
import type { ChangeConnection } from './connection-changes.ts';
import type { ConnectionKind, Refreshed } from './kinds/kind.ts';
import type { Kinds } from './kinds/registry.ts';

type Parts = { kinds: Kinds; changeConnection: ChangeConnection; clock: Clock };
type Asked = {
  tenantId: TenantId;
  entry: Entry<Connection>;
  because: ReasonOf<'connection.metadata_refreshed'>;
  cause: Cause;
};

export type RefreshMetadata = ReturnType<typeof createRefreshMetadata>;

export const refreshOf = (kinds: Kinds, { kind, settings }: Connection) => {
  const { refresh }: ConnectionKind = kinds[kind];
  return refresh?.isOn(settings) ? refresh : null;
};

const refreshProblems = [
  'connection_unreachable',
  'url_refused',
  'metadata_invalid',
  'metadata_moved',
] as const satisfies readonly ReasonOf<'connection.metadata_refused'>[];

const isRefreshProblem = (code: string): code is RefreshProblem['code'] =>
  refreshProblems.some(known => known === code);

export function createRefreshMetadata({ kinds, changeConnection, clock }: Parts) {
  /**
   * The connection after it, null where it is gone, and what went wrong. Throws VersionConflictError where somebody has
   * changed the connection meanwhile, and `connection_unsupported` for one that says nothing of where to read.
   */
  return async function refreshMetadata({ tenantId, entry, because, cause }: Asked) {
    const id = entry.id as Id<'connection'>;
    const refresh = refreshOf(kinds, entry.state);
    if (!refresh) throw new ProblemError('connection_unsupported', 'its settings do not say where metadata is read');
    // What was read is compared with the settings that it was read for.
    const options = { cause, expectedVersion: entry.version };
    let refreshed: Refreshed;
    try {
      refreshed = await refresh.read(entry.state.settings);
    } catch (error) {
      if (!(error instanceof ProblemError) || !isRefreshProblem(error.code)) throw error;
      const problem = { code: error.code, detail: error.message };
      const decide = (was: Connection) => refuseRefresh(id, was, problem, clock.now());
      const after = await changeConnection({ tenantId, id }, decide, { ...options, because: null });
      return { entry: after, problem: error };
    }
    const after = await changeConnection({ tenantId, id }, was => takeRefreshed(id, was, refreshed, because), {
      ...options,
      because: refreshed.changed.length > 0 ? 'metadata_refreshed' : null,
    });
    return { entry: after, problem: null };
  };
}

/** What its kind reads again of the provider was read, and this much of it is not as it was. */
function takeRefreshed(
  id: Id<'connection'>,
  connection: Connection,
  { settings, ...what }: Refreshed,
  because: ReasonOf<'connection.metadata_refreshed'>,
): Decision<Connection> {
  const change: Partial<Connection> = { settings, ...(connection.refreshProblem ? { refreshProblem: null } : {}) };
  if (changedIn(connection, change).length === 0) return null;
  const refreshed = event('connection.metadata_refreshed', { id, name: connection.name, because, details: what });
  return { state: { ...connection, ...change }, events: what.changed.length > 0 ? [refreshed] : [] };
}

/** It stays as it is, and says why. Told once for each reason. */
function refuseRefresh(
  id: Id<'connection'>,
  connection: Connection,
  { code, detail }: Pick<RefreshProblem, 'code' | 'detail'>,
  at: Date,
): Decision<Connection> {
  const before = connection.refreshProblem ?? null;
  if (before?.code === code && before.detail === detail) return null;
  const isKnown = before?.code === code;
  const refreshProblem = { code, detail, since: isKnown ? before.since : at.toISOString() };
  const refused = event('connection.metadata_refused', {
    id,
    name: connection.name,
    because: code,
    details: { problem: detail },
  });
  return { state: { ...connection, refreshProblem }, events: isKnown ? [] : [refused] };
}
