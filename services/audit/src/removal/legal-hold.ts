// A legal hold keeps the records of its scope, whatever a retention rule or a deletion request says, until it is
// released.
import { event, type Id } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { inWords, type Scope, scope } from './scope.ts';

export type Hold = { name: string; reason: string; scope: Scope; placedAt: string; releasedAt: string | null };
export type Holds = Collections<Hold>;

export const holdsPath = '/v1/tenants/{tenantId}/audit/legal-holds' as const;

export const holdView = z.object({
  id: z.string(),
  name: z.string(),
  reason: z.string(),
  scope,
  placedAt: z.string(),
  releasedAt: z.string().nullable(),
});

export const holds = collection<Hold>({
  name: 'audit_holds',
  queries: {
    newest: { equality: [], direction: 'descending' },
    byRelease: { equality: ['releasedAt'] },
  },
});

export const viewOf = ({ id, state }: Entry<Hold>): z.infer<typeof holdView> => ({ id, ...state });

type HoldId = Id<'hold'>;

const about = (id: HoldId, { name, scope: of, reason }: Hold) =>
  ({ id, name, because: 'requested', details: { scope: inWords(of), statedReason: reason } }) as const;

export const place = (id: HoldId, state: Hold): NonNullable<Decision<Hold>> => ({
  state,
  events: [event('hold.placed', about(id, state))],
});

export const release = (id: HoldId, hold: Hold, at: Date): Decision<Hold> =>
  hold.releasedAt === null
    ? { state: { ...hold, releasedAt: at.toISOString() }, events: [event('hold.released', about(id, hold))] }
    : null;
