// A request to remove records before their time: one person asks, another confirms, and then there is a delay in which anybody may still cancel.
import { type Actor, ProblemError } from '@reeve/contracts';
import type { Collections, Store } from '@reeve/store';
import type { Scope } from './scope.ts';

export type Person = { id: string; name: string | null };

export type DeletionRequest = {
  /** Of what was chained before it was made. */
  scope: Scope;
  reason: string;
  status: 'awaiting_confirmation' | 'confirmed' | 'done' | 'cancelled';
  requestedBy: Person;
  requestedAt: string;
  confirmedBy: Person | null;
  /** When the removal begins. */
  removesAt: string | null;
  cancelledAt: string | null;
  doneAt: string | null;
  removed: number;
  /** Records of its scope that legal holds kept. */
  held: number;
};

export type DeletionRequests = Collections<DeletionRequest>;

export function defineDeletionRequests(store: Store): DeletionRequests {
  return store.collections<DeletionRequest>({
    name: 'audit_deletion_requests',
    queries: { newest: { equality: [], direction: 'descending' }, byStatus: { equality: ['status'] } },
  });
}

/** A client acts for whoever holds its secret, so it is nobody in particular. */
export function personOf({ type, id, name }: Actor): Person {
  if (type !== 'user' || id === null) throw new ProblemError('person_required');
  return { id, name };
}

/** Of what is in the log now, whatever is chained later. */
export function request(
  { scope, reason, requestedBy }: Pick<DeletionRequest, 'scope' | 'reason' | 'requestedBy'>,
  now: Date,
): DeletionRequest {
  const requestedAt = now.toISOString();
  const { to = requestedAt } = scope;
  return {
    scope: { ...scope, to: to < requestedAt ? to : requestedAt },
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
}

export function confirm(
  request: DeletionRequest,
  confirmedBy: Person,
  { now, delayMs }: { now: Date; delayMs: number },
): DeletionRequest {
  if (request.status !== 'awaiting_confirmation')
    throw new ProblemError('deletion_request_state', `it is ${request.status}`);
  if (request.requestedBy.id === confirmedBy.id) throw new ProblemError('second_person_required');
  const removesAt = new Date(now.getTime() + delayMs).toISOString();
  return { ...request, status: 'confirmed', confirmedBy, removesAt };
}

export function cancel(request: DeletionRequest, now: Date): DeletionRequest {
  if (request.status === 'done' || request.status === 'cancelled')
    throw new ProblemError('deletion_request_state', `it is ${request.status}`);
  return { ...request, status: 'cancelled', cancelledAt: now.toISOString() };
}
