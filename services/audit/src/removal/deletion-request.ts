// A request to remove records before their time: one person asks, another confirms, and then there is a delay in which
// anybody may still cancel.
import { type Actor, event, type Id, ProblemError } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { inWords, type Scope, scope } from './scope.ts';

const person = z.object({ id: z.string(), name: z.string().nullable() });
export type Person = z.infer<typeof person>;

const requestState = z.object({
  scope,
  reason: z.string(),
  status: z.enum(['awaiting_confirmation', 'confirmed', 'done', 'cancelled']),
  requestedBy: person,
  requestedAt: z.string(),
  confirmedBy: person.nullable(),
  removesAt: z
    .string()
    .nullable()
    .describe('When the removal begins; until then, and while it goes on, it can be cancelled'),
  cancelledAt: z.string().nullable(),
  doneAt: z.string().nullable(),
  removed: z.number(),
  held: z.number().describe('Records that legal holds kept'),
});

export type DeletionRequest = z.infer<typeof requestState>;
export type DeletionRequests = Collections<DeletionRequest>;

export const deletionsPath = '/v1/tenants/{tenantId}/audit/deletion-requests' as const;
export const requestView = z.object({ id: z.string(), ...requestState.shape });
export const requestWithCount = requestView.extend({
  records: z.number().describe('Records that are in its scope now'),
});

export const deletionRequests = collection<DeletionRequest>({
  name: 'audit_deletion_requests',
  queries: { newest: { equality: [], direction: 'descending' }, byStatus: { equality: ['status'] } },
});

export const viewOf = ({ id, state }: Entry<DeletionRequest>): z.infer<typeof requestView> => ({ id, ...state });

type RequestId = Id<'deletion'>;

const about = (id: RequestId, { scope: of, reason, removesAt }: DeletionRequest) =>
  ({ id, because: 'requested', details: { scope: inWords(of), statedReason: reason, removesAt } }) as const;

/** A client acts for whoever holds its secret, so it is nobody in particular. */
export function personOf({ type, id, name }: Actor): Person {
  if (type !== 'user' || id === null) throw new ProblemError('person_required');
  return { id, name };
}

/** Of what is in the log now, whatever is chained later. */
export function request(
  id: RequestId,
  { scope: of, reason, requestedBy }: { scope: Scope; reason: string; requestedBy: Person },
  now: Date,
): NonNullable<Decision<DeletionRequest>> {
  const requestedAt = now.toISOString();
  const { to = requestedAt } = of;
  const state: DeletionRequest = {
    scope: { ...of, to: to < requestedAt ? to : requestedAt },
    reason,
    status: 'awaiting_confirmation',
    requestedBy,
    requestedAt,
    confirmedBy: null,
    removesAt: null,
    cancelledAt: null,
    doneAt: null,
    removed: 0,
    held: 0,
  };
  return { state, events: [event('deletion.requested', about(id, state))] };
}

const notIn = ({ status }: DeletionRequest) => new ProblemError('deletion_request_state', `it is ${status}`);

export function confirm(
  id: RequestId,
  was: DeletionRequest,
  { confirmedBy, now, delayMs }: { confirmedBy: Person; now: Date; delayMs: number },
): NonNullable<Decision<DeletionRequest>> {
  if (was.status !== 'awaiting_confirmation') throw notIn(was);
  if (was.requestedBy.id === confirmedBy.id) throw new ProblemError('second_person_required');
  const removesAt = new Date(now.getTime() + delayMs).toISOString();
  const state: DeletionRequest = { ...was, status: 'confirmed', confirmedBy, removesAt };
  return { state, events: [event('deletion.confirmed', about(id, state))] };
}

export function cancel(id: RequestId, was: DeletionRequest, now: Date): NonNullable<Decision<DeletionRequest>> {
  if (was.status === 'done' || was.status === 'cancelled') throw notIn(was);
  const state: DeletionRequest = { ...was, status: 'cancelled', cancelledAt: now.toISOString() };
  return { state, events: [event('deletion.cancelled', about(id, state))] };
}

export function complete(id: RequestId, was: DeletionRequest, now: Date): NonNullable<Decision<DeletionRequest>> {
  const { scope: of, removed, held } = was;
  const details = { scope: inWords(of), removed, held };
  return {
    state: { ...was, status: 'done', doneAt: now.toISOString() },
    events: [event('deletion.completed', { id, because: 'confirmed', details })],
  };
}
