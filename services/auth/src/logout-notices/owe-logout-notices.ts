// A session has ended, whichever way: the applications that want to be told are owed it from then on.
import { type Id, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isDocumentId } from '../client-documents/document-id.ts';
import type { Sessions } from '../sessions/session.ts';
import { idOf, type LogoutNotices, owe } from './logout-notice.ts';

type Parts = {
  notices: LogoutNotices;
  sessions: Sessions;
  applications: Pick<ApplicationDirectory, 'find'>;
  clock: Clock;
  /** Does not wait for the time at which it would look for what is due. */
  sendNow: () => void;
};

type Ended = { id: string; tenantId: TenantId; correlationId: string; data: { target: { id: Id<'session'> } } };

export function oweLogoutNotices({ notices, sessions, applications, clock, sendNow }: Parts): Handlers {
  async function ended({ id: causationId, tenantId, correlationId, data }: Ended): Promise<void> {
    const sessionId = data.target.id;
    const found = await sessions.in(tenantId).get(sessionId);
    if (!found) return;
    const { userId, applications: been } = found.state;
    const cause = serviceCause('auth', { correlationId, causationId, sessionId });
    for (const clientId of been) {
      // Nobody has us tell a stranger.
      if (isDocumentId(clientId)) continue;
      if (!(await applications.find(clientId))?.backchannelLogoutUri) continue;
      const about = { sessionId, userId, clientId: clientId as Id<'client'> };
      const decide = (known: object | null) => (known ? null : { state: owe(about, clock.now()), events: [] });
      await notices.in(tenantId).change(idOf(about), decide, { cause });
      sendNow();
    }
  }
  return { 'session.revoked': ended, 'session.expired': ended };
}
