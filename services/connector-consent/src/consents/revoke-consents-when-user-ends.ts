import type { Handlers } from '@reeve/event-bus';
import type { RevokeConsents } from './revoke-consents.ts';

export const revokeConsentsWhenUserEnds = ({ revokeConsents }: { revokeConsents: RevokeConsents }): Handlers => ({
  'user.deactivated': event => revokeConsents(event, { userId: event.data.target.id }, 'user_deactivated'),
  'user.deleted': event => revokeConsents(event, { userId: event.data.target.id }, 'user_deleted'),
});
