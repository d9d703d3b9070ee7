// Says what other services would say: events of theirs, on their topics.
import { randomUUID } from 'node:crypto';
import { event, newId, serviceCause, type TenantId } from '@reeve/contracts';
import { createEventBus } from '@reeve/event-bus';
import { type Draft, openStore } from '@reeve/store';
import { engines } from './engines.ts';

export type Announcer = Awaited<ReturnType<typeof startAnnouncer>>;

/** `as`: the service that its events come from. */
export async function startAnnouncer({ as = 'test' }: { as?: string } = {}) {
  const { kafka, mongodb } = engines();
  const bus = createEventBus({ brokers: [kafka], clientId: 'test-announcer' });
  const database = `announcer_${randomUUID().slice(0, 8)}`;
  const store = openStore({ uri: mongodb, database, source: `/reeve/${as}`, contents: {} });
  await store.prepare();
  store.startPublishing({ publish: bus.publish, findPublished: bus.findPublished, once: false });
  const cause = () => serviceCause('test', { correlationId: newId('request') });

  async function announce(tenantId: TenantId, draft: Draft): Promise<void> {
    await store.recordFact(tenantId, draft, cause());
  }

  return {
    announce,

    /** A tenant that provisioning has just created. */
    async newTenant(): Promise<{ id: TenantId; slug: string }> {
      const id = newId('tenant');
      const slug = `t-${id.slice(-12)}`;
      const details = { slug, status: 'active' };
      await announce(id, event('tenant.created', { id, name: slug, because: 'requested', details }));
      return { id, slug };
    },

    suspend({ id, slug }: { id: TenantId; slug: string }): Promise<void> {
      const details = { slug, status: 'suspended' };
      return announce(id, event('tenant.suspended', { id, name: slug, because: 'requested', details }));
    },

    async stop(): Promise<void> {
      await store.close();
      await bus.stop();
    },
  };
}
