import { type IdentityEvent, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { MakerEnd, MakerEnds } from './maker-end.ts';

type About = Pick<IdentityEvent, 'id' | 'tenantId' | 'correlationId' | 'time'> & { data: { target: { id: string } } };

export function endViewerTokensWhenMakersEnd({ makerEnds }: { makerEnds: MakerEnds }): Handlers {
  const end = ({ tenantId, time: endedAt, data: { target } }: About) =>
    makerEnds.in(tenantId).put(target.id, { endedAt, backAt: null });
  return {
    'user.deactivated': end,
    'user.deleted': end,
    'client.deleted': end,
    async 'user.reactivated'({ id: causationId, tenantId, correlationId, time: backAt, data: { target } }) {
      const cause = serviceCause('audit', { correlationId, causationId });
      const back = (was: MakerEnd | null) => was && { state: { ...was, backAt }, events: [] };
      await makerEnds.in(tenantId).change(target.id, back, { cause });
    },
  };
}
