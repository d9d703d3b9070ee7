import { type IdentityEvent, serviceCause } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { DelegatedTokens } from './delegated-tokens.ts';

type Changed = IdentityEvent<'consent.granted' | 'consent.denied' | 'consent.revoked'>;

/** Whatever path it was changed by: a token does not outlive the answer that it rests on. */
export function endTokenWhenConsentChanges({ delegatedTokens }: { delegatedTokens: DelegatedTokens }): Handlers {
  const end = async ({ id: causationId, tenantId, correlationId, data: { target, reason } }: Changed) => {
    const cause = serviceCause('connector-consent', { correlationId, causationId });
    await delegatedTokens.keepIfConsented(tenantId, target.id, { why: reason.code, cause });
  };
  return { 'consent.granted': end, 'consent.denied': end, 'consent.revoked': end };
}
