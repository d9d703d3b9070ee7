import { type IdentityEvent, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Consents } from '../consents/consent.ts';
import type { DelegatedTokens } from './delegated-tokens.ts';

type Changed = IdentityEvent<'consent.granted' | 'consent.denied' | 'consent.revoked'>;

/** Whatever path it was changed by: a token does not outlive the answer that it rests on. */
export function endTokenWhenConsentChanges({
  consents,
  delegatedTokens,
}: {
  consents: Consents;
  delegatedTokens: DelegatedTokens;
}): Handlers {
  const end = async ({ id: causationId, tenantId, correlationId, data: { target, reason } }: Changed) => {
    const cause = serviceCause('connector-consent', { correlationId, causationId });
    await delegatedTokens.keepIfConsented(tenantId, target.id, { why: reason.code, cause });
  };
  return {
    async 'consent.granted'(event) {
      const consent = await consents.in(event.tenantId).get(event.data.target.id);
      // What ended since then has an event of its own, which says why.
      if (consent?.state.status === 'granted') await end(event);
    },
    'consent.denied': end,
    'consent.revoked': end,
  };
}
