// A sign-in that is a test: the browser goes to the provider and back as everybody's does, the connection may be a
// draft, and at the end there is no session but what was found. It is bound to whoever holds the link that it was begun
// by, and its answer is used once.
import { randomBytes } from 'node:crypto';
import { type Cause, event, type Id, ProblemError, type SignInFailure, type TenantId } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { type Page, readExisting } from '@reeve/service-kit';
import { type Clock, type PlatformRecords, platformRecords, type Store } from '@reeve/store';
import { signInCauseOf, signInFailureOf } from '../attempts/cause-of.ts';
import { atOf, type Connection, type Connections } from '../connections/connection.ts';
import { afterwards, checksOf } from '../connections/kinds/checks.ts';
import type { ConnectionKind, UpstreamIdentity } from '../connections/kinds/kind.ts';
import type { KindName, Kinds } from '../connections/kinds/registry.ts';
import { claimsWanted, mapIdentity } from '../connections/mapping.ts';
import type { EnforceDomain } from '../home-realm/enforce-domain.ts';
import { type Brought, broughtHere } from '../sign-in/ticket.ts';
import { type ConnectionTests, type Found, settingsMark } from './connection-test.ts';

type Row = Brought & {
  tenantId: TenantId;
  connectionId: Id<'connection'>;
  method: KindName;
  linkId: string;
  /** Of the connection's kind. */
  pending: unknown;
};

export const testSignIns = platformRecords<Row>({
  name: 'test_sign_ins',
  reason: 'an identity provider returns nothing but the state, which names the test',
});

type Parts = {
  records: PlatformRecords<Row>;
  tests: ConnectionTests;
  connections: Connections;
  kinds: Kinds;
  enforceDomain: EnforceDomain;
  store: Pick<Store, 'recordFact'>;
  clock: Clock;
};
type Of = { tenantId: TenantId; connectionId: Id<'connection'>; linkId: string; cause: Cause };

export type TestSignIn = ReturnType<typeof createTestSignIn>;

const prefix = 'test-';
const lastsMs = 900_000;

/** Sign-ins are named by others and shorter. */
export const isTestId = (id: string): boolean => id.startsWith(prefix) && id.length === prefix.length + 32;

export const testReturnPath = (testId: string, connectionId: string): `/setup-tests/${string}` =>
  `/setup-tests/${testId}/return/${connectionId}`;

export function createTestSignIn({ records, tests, connections, kinds, enforceDomain, store, clock }: Parts) {
  const kindOf = ({ kind }: Connection): ConnectionKind => kinds[kind];
  const soon = () => new Date(clock.now().getTime() + lastsMs);

  /** Who the provider says it is, and what our mapping and the tenant's policies make of it. */
  async function identify(row: Row, { connectionId, cause }: Of, brought: string): Promise<Outcome> {
    const entry = await readExisting(connections.in(row.tenantId), connectionId);
    const { state } = entry;
    // It was begun as another kind of connection.
    if (state.kind !== row.method) throw new ProblemError('sign_in_expired');
    const kind = kindOf(state);
    const tested = { name: state.name, madeWith: settingsMark(state), kind };
    const at = atOf(row.tenantId, entry, cause);
    let said: UpstreamIdentity | null = null;
    try {
      said = await kind.complete(at, { pending: row.pending, brought, wantedClaims: claimsWanted(state) });
      const { subject, email, displayName } = mapIdentity(state, said);
      await enforceDomain.assertHere({ tenantId: row.tenantId, connectionId, email });
      return { ...tested, said, mapped: { subject, email, displayName }, error: null };
    } catch (error) {
      return { ...tested, said, mapped: null, error };
    }
  }

  return {
    /** Where the browser is to go. Throws `connection_incomplete`, and what its kind throws. */
    async begin({ tenantId, connectionId, linkId, cause }: Of): Promise<{ testId: string; leaveFor: string | Page }> {
      const entry = await readExisting(connections.in(tenantId), connectionId);
      const testId = prefix + randomBytes(24).toString('base64url');
      const kind = kindOf(entry.state);
      const { leaveFor, pending } = await kind.begin(atOf(tenantId, entry, cause), {
        signInId: testId,
        wish: { again: false, isDemanded: false },
      });
      const method = entry.state.kind;
      const row: Row = { tenantId, connectionId, method, linkId, pending, brought: null, broughtBy: null };
      await records.put(testId, row, soon());
      const startedAt = clock.now().toISOString();
      await tests.in(tenantId).put(connectionId, { startedAt, madeWith: settingsMark(entry.state), found: null });
      return { testId, leaveFor };
    },

    /** Keeps what a browser posts until it comes back; false where no test waits for that connection. */
    async bring(
      testId: string,
      { by, connectionId, brought, broughtBy }: { by: KindName; connectionId: string } & Record<keyof Brought, string>,
    ): Promise<boolean> {
      const isAwaited = (row: Row) => row.method === by && row.connectionId === connectionId;
      const kept = await records.change(testId, row =>
        row && isAwaited(row) ? { row: { ...row, brought, broughtBy }, expiresAt: soon() } : null,
      );
      return kept !== null && isAwaited(kept.row);
    },

    /** Writes down what came of it. Throws `sign_in_expired` for what this link has not begun, or is over. */
    async finish(testId: string, { search, ...of }: Of & { search: string }): Promise<void> {
      const waiting = await records.get(testId);
      if (!waiting || !isOf(waiting.row, of)) throw new ProblemError('sign_in_expired');
      const brought = broughtHere(waiting.row, search);
      const row = await records.take(testId);
      if (!row) throw new ProblemError('sign_in_expired');
      const outcome = await identify(row, of, brought);
      const found = foundIn(outcome, clock.now());
      const { tenantId, connectionId, cause } = of;
      const { madeWith } = outcome;
      await tests
        .in(tenantId)
        .change(
          connectionId,
          was => ({ state: { startedAt: was?.startedAt ?? found.finishedAt, madeWith, found }, events: [] }),
          { cause },
        );
      const tested = event('connection.tested', {
        id: connectionId,
        name: outcome.name,
        because: 'requested',
        outcome: found.reason === null ? 'success' : 'failure',
      });
      await store.recordFact(tenantId, tested, cause);
    },
  };
}

const isOf = (row: Row, { tenantId, connectionId, linkId }: Of): boolean =>
  row.tenantId === tenantId && row.connectionId === connectionId && row.linkId === linkId;

type Outcome = {
  name: string;
  madeWith: string;
  kind: ConnectionKind;
  said: UpstreamIdentity | null;
  mapped: Found['mapped'];
  error: unknown;
};

function foundIn({ kind, said, mapped, error }: Outcome, now: Date): Found {
  const reason = error === null ? null : reasonOf(error);
  const seen = error instanceof StepError ? error.seen : {};
  return {
    finishedAt: now.toISOString(),
    reason,
    cause: reason && signInCauseOf(reason, seen),
    seen,
    checks: checksOf([...kind.checks, ...afterwards], reason),
    claims: { ...said?.claims },
    claimsDropped: said?.claimsDropped ?? [],
    mapped,
  };
}

/** Of an error at the provider's answer; what is our own fault is thrown on. */
function reasonOf(error: unknown): SignInFailure {
  const failure = signInFailureOf(error);
  if (failure === 'internal') throw error;
  return failure;
}
