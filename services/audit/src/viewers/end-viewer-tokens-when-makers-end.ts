import { type IdentityEvent, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { MakerEnd, MakerEnds } from './maker-end.ts';

type About = Pick<IdentityEvent, 'id' | 'tenantId' | 'correlationId' | 'time'> & { data: { target: { id: string } } };

/** Only administrators make viewer tokens. */
const makersRole = 'tenant_admin';
/** What of a client ends the tokens that it has got. */
const ending = ['areas', 'tokens'];

export function endViewerTokensWhenMakersEnd({ makerEnds, clock }: { makerEnds: MakerEnds; clock: Clock }): Handlers {
  const end = ({ tenantId, time: endedAt, data: { target } }: About) =>
    makerEnds.in(tenantId).put(target.id, { endedAt, backAt: null });
  async function comeBack({ id: causationId, tenantId, correlationId, time: backAt, data: { target } }: About) {
    const cause = serviceCause('audit', { correlationId, causationId });
    const back = (was: MakerEnd | null) => was && { state: { ...was, backAt }, events: [] };
    await makerEnds.in(tenantId).change(target.id, back, { cause });
  }
  return {
    'user.deactivated': end,
    'user.deleted': end,
    'client.deleted': end,
    'user.reactivated': comeBack,
    async 'role.unassigned'(event) {
      if (event.data.details.role === makersRole) await end(event);
    },
    async 'role.assigned'(event) {
      if (event.data.details.role === makersRole) await comeBack(event);
    },
    async 'client.updated'({ tenantId, time: endedAt, data: { target, details } }) {
      if (!details.changed.some(what => ending.includes(what))) return;
      // Those too that it made by an access token of before, while this was on its way.
      await makerEnds.in(tenantId).put(target.id, { endedAt, backAt: clock.now().toISOString() });
    },
  };
}
