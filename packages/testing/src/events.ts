import type { CloudEvent, TenantId, TopicName } from '@reeve/contracts';
import { createEventBus, decode } from '@reeve/event-bus';
import { engines } from './engines.ts';
import { eventually } from './eventually.ts';
export type EventReader = Awaited<ReturnType<typeof readEvents>>;

type Data = {
  actor: { type: string; id: string | null };
  target: { id: string | null };
  reason: { code: string };
  details: Record<string, unknown>;
};
export type SeenEvent = Omit<CloudEvent, 'data'> & { topic: string; data: Data };

/** Collects the events of these topics, from now on and from before. */
export async function readEvents(...topics: TopicName[]) {
  const bus = createEventBus({ brokers: [engines().kafka], clientId: 'test-reader' });
  const byTenant = new Map<string, SeenEvent[]>();
  for (const topic of topics)
    await bus.follow(topic, message => {
      const event = { ...decode(message), topic } as SeenEvent;
      byTenant.set(event.tenantId, [...(byTenant.get(event.tenantId) ?? []), event]);
    });
  const of = (tenantId: TenantId): readonly SeenEvent[] => byTenant.get(tenantId) ?? [];

  return {
    of,
    /** Waits for the first of that type, and that target where one is given. */
    seen: (tenantId: TenantId, type: string, targetId?: string): Promise<SeenEvent> =>
      eventually(`${type} in ${tenantId}`, () =>
        of(tenantId).find(
          event => event.type === type && (targetId === undefined || event.data.target.id === targetId),
        ),
      ),
    stop: () => bus.stop(),
  };
}
