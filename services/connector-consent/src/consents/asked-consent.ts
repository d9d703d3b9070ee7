// The request for a consent and what its page says: from the approval of the installation until the connector is
// connected or uninstalled, or the request is too old. Until then an answer may be changed: who said no may say yes.
import type { SignedIn } from '@reeve/browser-session';
import { type Id, isId, ProblemError, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Catalogue, type Connector, consentEnd } from '../catalogue/catalogue.ts';
import type { Installation, Installations } from '../installations/installation.ts';

type ConsentRequest = { tenantId: TenantId; installationId: Id<'installation'>; installation: Installation };

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

export type ReadAskedConsent = ReturnType<typeof createReadAskedConsent>;

type Parts = { findConsentRequest: FindConsentRequest; catalogue: Catalogue; tenants: TenantDirectory; clock: Clock };
type Asked = ConsentRequest & {
  connector: Connector;
  until: Date;
  textFor: (scopes: readonly string[]) => ConsentText;
};

export function createReadAskedConsent({ findConsentRequest, catalogue, tenants, clock }: Parts) {
  /** Throws `consent_expired`. */
  return async (requestId: string, { name: person }: SignedIn): Promise<Asked> => {
    const request = await findConsentRequest(requestId);
    const connector = catalogue.get(request.installation.connectorId);
    const tenant = (await tenants.find(request.tenantId))?.slug ?? request.tenantId;
    const until = consentEnd(connector, clock.now());
    return {
      ...request,
      connector,
      until,
      textFor: scopes => consentText({ connector, tenant, person, scopes, until }),
    };
  };
}

type ConsentText = { who: string; able: { scope: string; meaning: string }[]; unable: string[]; until: string };

/** The sentences of the page, which are also what is recorded. */
export function consentText({
  connector: { name, publisher, scopes: offered, cannot },
  tenant,
  person,
  scopes,
  until,
}: {
  connector: Connector;
  tenant: string;
  person: string;
  scopes: readonly string[];
  until: Date;
}): ConsentText {
  const day = until.toISOString().slice(0, 10);
  return {
    who: `${name} by ${publisher} asks for access on behalf of ${person} in ${tenant}.`,
    able: offered.filter(({ id }) => scopes.includes(id)).map(({ id, meaning }) => ({ scope: id, meaning })),
    unable: cannot.map(what => `It will not be able to: ${what}.`),
    until: `The access ends on ${day} at the latest. You or an administrator can end it at any time.`,
  };
}

export const asOneText = ({ who, able, unable, until }: ConsentText): string =>
  [who, ...able.map(({ meaning }) => `It will be able to: ${meaning}.`), ...unable, until].join('\n');
