// The request for a consent: what its page asks about, from the approval of the installation until the connector is
// connected or uninstalled, or the request is too old. Until then an answer may be changed: who said no may say yes.
import { type Id, isId, ProblemError, type TenantId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import type { Installation, Installations } from './installation.ts';

export type ConsentRequest = { tenantId: TenantId; installationId: Id<'installation'>; installation: Installation };

export type FindConsentRequest = (requestId: string) => Promise<ConsentRequest>;

/**
 * What it gives throws `consent_expired` for a request that is unknown, over or too old: a stranger learns no more.
 */
export function createFindConsentRequest(parts: { installations: Installations; clock: Clock }): FindConsentRequest {
  const all = parts.installations.acrossTenants('a consent page is opened by its id, before anybody is signed in');
  return async requestId => {
    const found = await all.getByUnique('consentRequest', requestId);
    const { status, consentUntil = null } = found?.state ?? {};
    const isOpen = status === 'approved' && consentUntil !== null && consentUntil > parts.clock.now().toISOString();
    if (!found || !isOpen || !isId('installation', found.id)) throw new ProblemError('consent_expired');
    return { tenantId: found.tenantId, installationId: found.id, installation: found.state };
  };
}
