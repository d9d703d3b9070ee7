import { type EventDraft, newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Collections } from '@reeve/store';

/** A change that the service makes by itself, of what is there. `next` gives null where nothing is to change. Returns the state after it; null where there is none. */
export async function changeAsService<S>(
  collections: Collections<S>,
  { tenantId, id }: { tenantId: TenantId; id: string },
  next: (state: S) => S | null,
  events: readonly EventDraft[] = [],
): Promise<S | null> {
  const decide = (was: S | null) => {
    const state = was && next(was);
    return state ? { state, events } : null;
  };
  const cause = serviceCause('audit', { correlationId: newEventId() });
  return (await collections.in(tenantId).change(id, decide, { cause }))?.state ?? null;
}
