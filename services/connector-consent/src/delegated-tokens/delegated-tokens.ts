// The tokens that third parties gave for a consent. Owns which scopes were asked for and which were granted (lesson
// L7) and where the tokens lie in the vault; their text never leaves it but by `lease`. A token rests on one answer
// of its person: taken back or replaced, it takes the token with it.
import { type Cause, event, type Id, type TenantId } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry, type Store } from '@reeve/store';
import { SecretMissingError, type Vault } from '@reeve/vault';
import { z } from 'zod';
import type { Consent, Consents } from '../consents/consent.ts';

export type DelegatedToken = {
  installationId: Id<'installation'>;
  userId: Id<'user'>;
  connectorId: string;
  /** The version of the consent that it rests on; null for one that was stored before this was kept. */
  consentVersion: number | null;
  requestedScopes: string[];
  grantedScopes: string[];
  /**
   * `storing` while the vault may hold it already: should nothing more be heard of it, it is destroyed there all the
   * same.
   */
  status: 'storing' | 'stored' | 'revoked';
  accessTokenExpiresAt: string | null;
  storedAt: string;
};

const tokenSetSchema = z.object({ accessToken: z.string(), refreshToken: z.string().nullable() });
export type TokenSet = z.infer<typeof tokenSetSchema>;

export type DelegatedTokens = ReturnType<typeof createDelegatedTokens>;

export const delegatedTokens = collection<DelegatedToken>({
  name: 'delegated_tokens',
  version: 2,
  upgrade: state => ({ ...(state as DelegatedToken), consentVersion: null }),
  queries: { byInstallation: { equality: ['installationId'] } },
});

const about = (id: Id<'consent'>, token: DelegatedToken) => {
  const { installationId, requestedScopes, grantedScopes, connectorId } = token;
  return { id, name: connectorId, details: { installationId, requestedScopes, grantedScopes } };
};

/** Null for one that was revoked while it was being stored. */
function stored(id: Id<'consent'>, token: DelegatedToken): Decision<DelegatedToken> {
  if (token.status !== 'storing') return null;
  const state: DelegatedToken = { ...token, status: 'stored' };
  return { state, events: [event('delegated_token.stored', { ...about(id, state), because: 'consented' })] };
}

const leased = (id: Id<'consent'>, token: DelegatedToken) =>
  event('delegated_token.leased', { ...about(id, token), because: 'requested' });

function revoked(id: Id<'consent'>, token: DelegatedToken | null, why: string): Decision<DelegatedToken> {
  if (!token || token.status === 'revoked') return null;
  const { details, ...target } = about(id, token);
  const happened = { ...target, because: 'consent_ended', details: { ...details, cause: why } } as const;
  return {
    state: { ...token, status: 'revoked' },
    events: token.status === 'stored' ? [event('delegated_token.revoked', happened)] : [],
  };
}

function restsOn({ consentVersion }: DelegatedToken, consent: Entry<Consent> | null): boolean {
  return consent?.state.status === 'granted' && (consentVersion === null || consentVersion === consent.version);
}

type Parts = {
  tokens: Collections<DelegatedToken>;
  consents: Consents;
  vault: Vault;
  store: Pick<Store, 'recordFact'>;
};
type End = { why: string; cause: Cause };

/**
 * A token's id is that of its consent. Each answer has a secret of its own in the vault, so that what was given for
 * one is never found under another. The class separates the secrets of one connector from those of another.
 */
export function createDelegatedTokens({ tokens, consents, vault, store: { recordFact } }: Parts) {
  const refOf = (id: Id<'consent'>, { connectorId, consentVersion }: DelegatedToken) => ({
    secretClass: `delegated-token/${connectorId}`,
    id: consentVersion === null ? id : `${id}.${consentVersion}`,
  });

  /**
   * Destroys tokens that rest on something else than what their person says now. False when there are none left. A
   * second time changes nothing.
   */
  async function keepIfConsented(tenantId: TenantId, id: Id<'consent'>, { why, cause }: End): Promise<boolean> {
    // The token first: one that is stored for a later answer is then met by that answer.
    const token = (await tokens.in(tenantId).get(id))?.state;
    if (!token) return false;
    if (restsOn(token, await consents.in(tenantId).get(id))) return true;
    await vault.destroy(tenantId, refOf(id, token), cause);
    const isSame = (found: DelegatedToken | null) => found?.consentVersion === token.consentVersion;
    await tokens.in(tenantId).change(id, found => (isSame(found) ? revoked(id, found, why) : null), { cause });
    return false;
  }

  return {
    keepIfConsented,

    /** False when the answer that they were given for no longer stands. Then nothing of them is left. */
    async store(
      tenantId: TenantId,
      id: Id<'consent'>,
      { token, set }: { token: Omit<DelegatedToken, 'status'> & { consentVersion: number }; set: TokenSet },
      cause: Cause,
    ): Promise<boolean> {
      const own = tokens.in(tenantId);
      const { consentVersion } = token;
      const state: DelegatedToken = { ...token, status: 'storing' };
      const end = { why: 'consent_ended', cause };
      await keepIfConsented(tenantId, id, end);
      const isLater = (found: DelegatedToken | null) => (found?.consentVersion ?? 0) > consentVersion;
      await own.change(id, found => (isLater(found) ? null : { state, events: [] }), { cause });
      await vault.put(tenantId, refOf(id, state), JSON.stringify(set), cause);
      const after = await own.change(
        id,
        found => (found?.consentVersion === consentVersion ? stored(id, found) : null),
        { cause },
      );
      // Revoked meanwhile, or answered anew: whoever comes second sees what the first has done.
      const isKept = await keepIfConsented(tenantId, id, end);
      if (isKept && after?.state.consentVersion === consentVersion) return true;
      await vault.destroy(tenantId, refOf(id, state), cause);
      return false;
    },

    async ofInstallation(tenantId: TenantId, installationId: Id<'installation'>): Promise<Entry<DelegatedToken>[]> {
      return (await tokens.in(tenantId).list('byInstallation', { installationId }, { limit: 200 })).items;
    },

    /**
     * The tokens themselves, on the record; null when there are none that rest on this consent. Nothing is written to
     * the token, so that many leases at once do not keep each other out. Whoever gives it away looks at the consent
     * once more.
     */
    async lease(
      tenantId: TenantId,
      { id, consent }: { id: Id<'consent'>; consent: Entry<Consent> },
      cause: Cause,
    ): Promise<{ token: DelegatedToken; set: TokenSet } | null> {
      const token = (await tokens.in(tenantId).get(id))?.state;
      if (token?.status !== 'stored' || !restsOn(token, consent)) return null;
      const access = { cause, purpose: 'lease' } as const;
      const text = await vault.read(tenantId, refOf(id, token), access).catch((error: unknown) => {
        // Destroyed in this moment.
        if (error instanceof SecretMissingError) return null;
        throw error;
      });
      if (!text) return null;
      await recordFact(tenantId, leased(id, token), cause);
      return { token, set: tokenSetSchema.parse(JSON.parse(text.toString('utf8'))) };
    },
  };
}
