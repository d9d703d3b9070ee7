import type { Handlers } from '@reeve/event-bus';
import type { RevokeConsents } from './revoke-consents.ts';

export const revokeConsentsWhenUninstalled = ({ revokeConsents }: { revokeConsents: RevokeConsents }): Handlers => ({
  'installation.uninstalled': event => revokeConsents(event, { installationId: event.data.target.id }, 'uninstalled'),
});
