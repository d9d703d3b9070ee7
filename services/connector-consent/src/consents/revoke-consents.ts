// Ends all consents of a person, or all to an installation. Every step may run again: what has ended is left as it is.
import { type Id, type IdentityEvent, type ReasonOf, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import { type Consents, consentId, revoke } from './consent.ts';

type Whose = { installationId: Id<'installation'> } | { userId: Id<'user'> };
type Because = Pick<IdentityEvent, 'id' | 'tenantId' | 'correlationId'>;

export type RevokeConsents = (because: Because, whose: Whose, why: ReasonOf<'consent.revoked'>) => Promise<void>;

export function createRevokeConsents({ consents }: { consents: Consents }): RevokeConsents {
  return async ({ id: causationId, tenantId, correlationId }, whose, why) => {
    const cause = serviceCause('connector-consent', { correlationId, causationId });
    const collection = consents.in(tenantId);
    const found = 'userId' in whose ? collection.all('byUser', whose) : collection.all('byInstallation', whose);
    for await (const entry of found) {
      const id = consentId(entry);
      await collection.change(id, consent => consent && revoke(id, consent, why), { cause });
    }
  };
}

/** Nobody acts for a person who is gone, or by a connector that is. */
export const revokeConsentsWhenTheirGroundEnds = ({
  revokeConsents,
}: {
  revokeConsents: RevokeConsents;
}): Handlers => ({
  'user.deactivated': event => revokeConsents(event, { userId: event.data.target.id }, 'user_deactivated'),
  'user.deleted': event => revokeConsents(event, { userId: event.data.target.id }, 'user_deleted'),
  'installation.uninstalled': event => revokeConsents(event, { installationId: event.data.target.id }, 'uninstalled'),
});
