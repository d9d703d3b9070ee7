// The last test of a connection: somebody went through its sign-in, and nobody was signed in by it. What was found is
// for whoever sets the connection up, and is kept for a day, since it holds what the provider said of that person.
import type { SignInCause, SignInFailure } from '@reeve/contracts';
import type { Seen } from '@reeve/relying-party';
import { type Collections, collection } from '@reeve/store';
import type { Connection } from '../connections/connection.ts';
import { numberOf } from '../connections/connection-revision.ts';
import type { Check } from '../connections/kinds/checks.ts';

export type ConnectionTest = {
  startedAt: string;
  /** The settings that it was done with. */
  madeWith: string;
  found: Found | null;
};

/** What became of it. */
export type Found = {
  finishedAt: string;
  reason: SignInFailure | null;
  cause: SignInCause | null;
  seen: Seen;
  checks: Check[];
  /** By the provider's own names. */
  claims: Record<string, unknown>;
  claimsDropped: string[];
  mapped: { subject: string; email: string | null; displayName: string | null } | null;
};

export type ConnectionTests = Collections<ConnectionTest>;

const keptMs = 86_400_000;

/** By the id of the connection. */
export const connectionTests = collection<ConnectionTest>({
  name: 'connection_tests',
  expiresAt: ({ startedAt }) => new Date(Date.parse(startedAt) + keptMs),
});

/** Another one after each change of the settings, and of the secret, which is no revision of its own. */
export const settingsMark = (connection: Connection): string =>
  `${numberOf(connection)} ${connection.secretName ?? connection.secretSetAt}`;

export const isOfNow = (test: ConnectionTest | null, connection: Connection): boolean =>
  test?.madeWith === settingsMark(connection);

export const hasPassed = (test: ConnectionTest | null, connection: Connection): boolean =>
  test?.found?.reason === null && isOfNow(test, connection);
