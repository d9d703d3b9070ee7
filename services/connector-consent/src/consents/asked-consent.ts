// What a person is asked on a consent page, and answers: the request behind it, in words.
import type { SignedIn } from '@reeve/browser-session';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { type Catalogue, type Connector, consentEnd } from '../catalogue/catalogue.ts';
import type { ConsentRequest, FindConsentRequest } from '../installations/consent-request.ts';
import { type ConsentText, consentText } from './consent-text.ts';

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
