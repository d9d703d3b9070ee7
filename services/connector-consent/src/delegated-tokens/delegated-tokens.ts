// The tokens that third parties gave for a consent. Owns which scopes were asked for and which were granted (lesson L7) and where the
// tokens lie in the vault; their text never leaves it but by `read`.
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';

export type DelegatedToken = {
  installationId: string;
  userId: string;
  connectorId: string;
  requestedScopes: string[];
  grantedScopes: string[];
  status: 'stored' | 'revoked';
  accessTokenExpiresAt: string | null;
  storedAt: string;
};

const tokenSetSchema = z.object({ accessToken: z.string(), refreshToken: z.string().nullable() });
export type TokenSet = z.infer<typeof tokenSetSchema>;

export type DelegatedTokens = ReturnType<typeof createDelegatedTokens>;

export function defineDelegatedTokens(store: Store): Collections<DelegatedToken> {
  return store.collections<DelegatedToken>({
    name: 'delegated_tokens',
    queries: { byInstallation: { equality: ['installationId'] } },
  });
}

function event(
  type: 'delegated_token.stored' | 'delegated_token.leased',
  id: string,
  token: DelegatedToken,
): EventDraft {
  const { installationId, requestedScopes, grantedScopes, connectorId } = token;
  const target = { type: 'delegated_token', id, name: connectorId };
  return {
    type,
    target,
    outcome: 'success',
    reason: because(type === 'delegated_token.stored' ? 'consented' : 'requested'),
    details: { installationId, requestedScopes, grantedScopes },
  };
}

function revoke(id: string, token: DelegatedToken, why: string): Decision<DelegatedToken> {
  if (token.status === 'revoked') return null;
  const { installationId, requestedScopes, grantedScopes, connectorId } = token;
  const target = { type: 'delegated_token', id, name: connectorId };
  const details = { installationId, requestedScopes, grantedScopes, cause: why };
  return {
    state: { ...token, status: 'revoked' },
    events: [{ type: 'delegated_token.revoked', target, outcome: 'success', reason: because(why), details }],
  };
}

/** A token's id is that of the consent it rests on. The class separates the secrets of one connector from those of another. */
export function createDelegatedTokens({ tokens, vault }: { tokens: Collections<DelegatedToken>; vault: Vault }) {
  const refOf = (id: string, connectorId: string) => ({ secretClass: `delegated-token/${connectorId}`, id });

  return {
    async store(
      tenantId: TenantId,
      id: string,
      { token, set }: { token: Omit<DelegatedToken, 'status'>; set: TokenSet },
      cause: Cause,
    ): Promise<void> {
      // The secret first: a record of a token that is not there would promise what nobody can keep.
      await vault.put(tenantId, refOf(id, token.connectorId), JSON.stringify(set), cause);
      const state: DelegatedToken = { ...token, status: 'stored' };
      await tokens
        .in(tenantId)
        .change(id, () => ({ state, events: [event('delegated_token.stored', id, state)] }), { cause });
    },

    async ofInstallation(tenantId: TenantId, installationId: string): Promise<Entry<DelegatedToken>[]> {
      return (await tokens.in(tenantId).list('byInstallation', { installationId }, { limit: 200 })).items;
    },

    /** The tokens themselves, on the record. Null when there are none or they are revoked. */
    async lease(
      tenantId: TenantId,
      id: string,
      cause: Cause,
    ): Promise<{ token: DelegatedToken; set: TokenSet } | null> {
      const entry = await tokens
        .in(tenantId)
        .change(
          id,
          token =>
            token?.status === 'stored' ? { state: token, events: [event('delegated_token.leased', id, token)] } : null,
          { cause },
        );
      if (entry?.state.status !== 'stored') return null;
      const text = await vault.read(tenantId, refOf(id, entry.state.connectorId), { cause, purpose: 'lease' });
      return { token: entry.state, set: tokenSetSchema.parse(JSON.parse(text.toString('utf8'))) };
    },

    /** Destroys the tokens and says so. A second time changes nothing. */
    async revoke(tenantId: TenantId, id: string, why: string, cause: Cause): Promise<void> {
      const found = await tokens.in(tenantId).get(id);
      if (!found) return;
      await vault.destroy(tenantId, refOf(id, found.state.connectorId), cause);
      await tokens.in(tenantId).change(id, token => token && revoke(id, token, why), { cause });
    },
  };
}
