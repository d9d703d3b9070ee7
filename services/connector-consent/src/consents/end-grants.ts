// Ends consents together with the tokens they gave: by one person for one installation, by everybody for an installation, or by one person
// everywhere. Every step may run again.
import type { Cause, TenantId } from '@reeve/contracts';
import type { Entry } from '@reeve/store';
import type { DelegatedTokens } from '../delegated-tokens/delegated-tokens.ts';
import { type Consent, type Consents, type RevocationCause, revoke } from './consent.ts';

type Whose = { installationId: string; userId?: string } | { userId: string };
export type EndGrants = (tenantId: TenantId, whose: Whose, why: RevocationCause, cause: Cause) => Promise<void>;

export function createEndGrants({
  consents,
  delegatedTokens,
}: {
  consents: Consents;
  delegatedTokens: DelegatedTokens;
}): EndGrants {
  return async (tenantId, whose, why, cause) => {
    const collection = consents.in(tenantId);
    const found: AsyncIterable<Entry<Consent>> =
      'installationId' in whose
        ? collection.all('byInstallation', { installationId: whose.installationId })
        : collection.all('byUser', { userId: whose.userId });
    for await (const { id, state } of found) {
      if (whose.userId !== undefined && state.userId !== whose.userId) continue;
      // The consent first: a token that is on its way from the third party is then met by a consent that does not hold.
      await collection.change(id, consent => consent && revoke(id, consent, why), { cause });
      await delegatedTokens.revoke(tenantId, id, why, cause);
    }
  };
}
