// Of an application that a policy names: it serves the tenant, proves which one it is, and may use the grant by which
// it asks.
import { invalidField, type TenantId } from '@reeve/contracts';
import type { ApplicationDirectory } from './application-directory.ts';
import type { KnownApplication } from './known-application.ts';

/** Throws `input_invalid` of `clientId`. */
export async function assertAsksByItself(
  applications: Pick<ApplicationDirectory, 'findNow' | 'serves'>,
  tenantId: TenantId,
  { clientId, by }: { clientId: string; by: KnownApplication['grantTypes'][number] },
): Promise<KnownApplication> {
  const application = await applications.findNow(clientId);
  if (!application || !(await applications.serves(application, tenantId)))
    throw invalidField('clientId', 'is no application that serves this tenant');
  if (application.authentication.method === 'none')
    throw invalidField('clientId', 'has to prove itself by a secret or a key');
  if (!application.grantTypes.includes(by)) throw invalidField('clientId', `has to have the grant type ${by}`);
  return application;
}
