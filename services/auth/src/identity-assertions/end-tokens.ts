// Ends what rests on the word of a connection's identity provider, when that counts no more: by its policies, which go
// on, or which go with the connection.
import { type Cause, newId, serviceCause, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock } from '@reeve/store';
import { type AssertionIssuers, remove as removeIssuer } from './assertion-issuer.ts';
import { type AssistantPolicies, type AssistantPolicy, endTokens, remove } from './assistant-policy.ts';
import type { AssistantPolicyDirectory } from './assistant-policy-directory.ts';

export type EndParts = { policies: AssistantPolicies; directory: AssistantPolicyDirectory; clock: Clock };

type Of = { tenantId: TenantId; connectionId: string; cause: Cause };
type Decide = (id: string, policy: AssistantPolicy) => ReturnType<typeof endTokens>;

async function changeEach({ policies, directory }: EndParts, { tenantId, connectionId, cause }: Of, decide: Decide) {
  const own = policies.in(tenantId);
  for await (const { id } of own.all('byConnection', { connectionId: connectionId as AssistantPolicy['connectionId'] }))
    await own.change(id, policy => policy && decide(id, policy), { cause });
  directory.forget(tenantId);
}

export const endTokensBy = (parts: EndParts, of: Of): Promise<void> =>
  changeEach(parts, of, (_, policy) => endTokens(policy, { grantName: newId('grant'), at: parts.clock.now() }));

/** By the event, so that whoever deletes a connection deletes what it was trusted with. */
export const forgetConnection = (parts: EndParts & { issuers: AssertionIssuers }): Handlers => ({
  async 'connection.deleted'({ id: causationId, tenantId, correlationId, data }) {
    const { id: connectionId } = data.target;
    const cause = serviceCause('auth', { correlationId, causationId });
    const at = parts.clock.now();
    await changeEach(parts, { tenantId, connectionId, cause }, (id, policy) => remove(id, policy, at));
    await parts.issuers
      .in(tenantId)
      .change(connectionId, issuer => issuer && removeIssuer(connectionId, issuer, at), { cause });
  },
});
