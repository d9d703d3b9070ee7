import { ProblemError, type TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import type { Attempt, Attempts } from '../attempts/attempt.ts';
import type { Connection } from './connection.ts';
import type { ConnectionChange } from './connection-administration.ts';
import type { Kinds } from './kinds/registry.ts';
import { type Rehearsal, type Rehearsed, rehearse } from './rehearsal.ts';

/** The newest; of more, the oldest of the week are left out. */
const most = 1_000;

export type RehearseChange = ReturnType<typeof createRehearseChange>;

/** What would have become of a connection's sign-ins of the last week with that change. Nothing is changed. */
export function createRehearseChange({ attempts, kinds }: { attempts: Attempts; kinds: Kinds }) {
  const underWay = new Set<TenantId>();

  return async function rehearseChange(
    tenantId: TenantId,
    { id, state }: { id: string; state: Connection },
    change: ConnectionChange,
  ): Promise<Rehearsal> {
    const ofKind = change[state.kind];
    const prepared = ofKind === undefined ? null : await kinds[state.kind].prepare(ofKind, state.settings);
    const { attributes = state.attributes, identifier = state.identifier, jit = state.jit } = change;
    const planned = { kind: state.kind, issuer: prepared?.issuer ?? state.issuer, attributes, identifier, jit };
    const only = { connectionId: id, outcome: 'succeeded' } as const;
    if (underWay.has(tenantId)) throw new ProblemError('rate_limited', 'one is under way', { retryAfterSeconds: 5 });
    underWay.add(tenantId);
    try {
      const { items } = await attempts.in(tenantId).list('inOrder', {}, { limit: most, only });
      return await rehearse(items.flatMap(rehearsed), state, planned);
    } finally {
      underWay.delete(tenantId);
    }
  };
}

const rehearsed = ({ id, state: { said, steps } }: Entry<Attempt>): Rehearsed[] =>
  said ? [{ id, said, wasCreated: steps.some(({ seen }) => seen['created'] === true) }] : [];
