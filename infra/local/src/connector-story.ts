// From the request for a connector to its first webhook address: what an administrator and a person do, over HTTP.

import type { Browser, Page } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import type { Api } from './api.ts';
import type { Tenant } from './seed.ts';
import type { Credentials } from './system.ts';

export type Installation = { id: string; status: string; consentUrl: string | null };
export type Endpoint = { id: string; url: string; installationId: string | null; status: string };

/** An administrator asks for the demo connector and approves it. */
export async function approveDemoConnector(api: Api, credentials: Credentials, tenant: Tenant): Promise<Installation> {
  const base = `${credentials.urls.connectorConsent}/v1/tenants/${tenant.id}/installations`;
  const requested = await api.post<Installation>(`${base}:request`, {
    connectorId: 'demo-calendar',
    scopes: ['calendar.read', 'calendar.write'],
  });
  return api.post<Installation>(`${base}/${requested.id}:approve`);
}

/**
 * A person opens the consent page (signed in at Reeve, or signing in on the way), allows it, and allows it at the
 * third party.
 */
export async function consent(
  browser: Browser,
  { consentUrl }: Installation,
  { email, password, scopes }: { email: string; password: string; scopes: string[] },
): Promise<{ shown: Page; end: Page }> {
  if (consentUrl === null) throw new Error('there is no consent page');
  let shown = await browser.open(consentUrl);
  if (shown.text.includes('name="password"')) shown = await browser.submit(shown, { email, password });
  const atThirdParty = await browser.submit(shown, { scope: scopes, answer: 'allow' });
  const end = atThirdParty.text.includes('value="allow"')
    ? await browser.submit(atThirdParty, { answer: 'allow' })
    : atThirdParty;
  return { shown, end };
}

/** The endpoint that the installation brought, and its secret, which an administrator makes anew to see it. */
export async function endpointOf(
  api: Api,
  credentials: Credentials,
  tenant: Tenant,
  installation: Installation,
): Promise<{ endpoint: Endpoint; secret: string }> {
  const base = `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
  const endpoint = await eventually('the endpoint of the installation', async () =>
    (await api.get<{ items: Endpoint[] }>(base)).items.find(one => one.installationId === installation.id),
  );
  const { secret } = await api.post<{ secret: string }>(`${base}/${endpoint.id}:rotate-secret`);
  return { endpoint, secret };
}
