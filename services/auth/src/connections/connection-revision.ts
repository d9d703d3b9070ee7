// What the settings of a connection were. Whoever changes them keeps what is about to be replaced first, so that what
// was in force is known whatever happens in between; the present ones are the connection's own. Of the twenty before
// each takes the place of the one twenty changes earlier. There is no secret in them, and none is kept for them: one
// that was replaced, perhaps since it had leaked, does not come back.
import { ProblemError, type TenantId } from '@reeve/contracts';
import { type Collections, changedIn, collection } from '@reeve/store';
import type { Connection, Making } from './connection.ts';

const kept = ['name', 'settings', 'issuer', 'domains', 'trustEmail', 'jit', 'attributes', 'identifier'] as const;
export type KeptSettings = Pick<Connection, (typeof kept)[number]>;

export type Revision = KeptSettings & {
  connectionId: string;
  /** Absent for one of a time when a connection stayed of its kind. */
  kind?: Connection['kind'];
  number: number;
  /** Null where it was made before anybody wrote that down. */
  making: Omit<Making, 'number'> | null;
  secretSetAt: string;
};
export type Revisions = Collections<Revision>;

const mostKept = 20;

export const revisions = collection<Revision>({
  name: 'sso_connection_revisions',
  queries: { ofConnection: { equality: ['connectionId'], sort: 'number', direction: 'descending' } },
});

export const slotOf = (connectionId: string, number: number): string => `${connectionId}/${number % mostKept}`;

const settingsIn = (connection: KeptSettings): KeptSettings =>
  Object.fromEntries(kept.map(name => [name, connection[name]])) as KeptSettings;

export const isSameRevision = (one: KeptSettings, other: KeptSettings): boolean =>
  changedIn(settingsIn(one), settingsIn(other)).length === 0;

export const numberOf = ({ revision }: Pick<Connection, 'revision'>): number => revision?.number ?? 1;

/** As its settings are now. */
export function presentRevision(connectionId: string, connection: Connection): Revision {
  const { revision, secretSetAt } = connection;
  const making = revision ? { at: revision.at, by: revision.by, because: revision.because } : null;
  const { kind } = connection;
  return { ...settingsIn(connection), kind, connectionId, number: numberOf(connection), making, secretSetAt };
}

type Of = { tenantId: TenantId; connectionId: string };

/** Those before the present one, newest first. */
export async function formerRevisions(
  revisionsOf: Revisions,
  { tenantId, connectionId }: Of,
  present: number,
): Promise<Revision[]> {
  const { items } = await revisionsOf.in(tenantId).list('ofConnection', { connectionId }, { limit: mostKept });
  // One that was kept for a change that then was not made is the present one still.
  return items.map(({ state }) => state).filter(({ number }) => number < present);
}

/** Throws `revision_unknown`. */
export async function readRevision(
  revisionsOf: Revisions,
  { tenantId, connectionId }: Of,
  number: number,
): Promise<Revision> {
  const found = await revisionsOf.in(tenantId).get(slotOf(connectionId, number));
  if (found?.state.number !== number) throw new ProblemError('revision_unknown');
  return found.state;
}

export async function forgetRevisions(revisionsOf: Revisions, { tenantId, connectionId }: Of): Promise<void> {
  const slots = Array.from({ length: mostKept }, (_, number) => slotOf(connectionId, number));
  await revisionsOf.in(tenantId).removeAll(slots);
}
