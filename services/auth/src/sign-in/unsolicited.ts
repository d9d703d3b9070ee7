// Somebody comes from their provider's list of applications, signed in there, and nobody here has asked. That answer
// could be anybody's, brought to this browser by whoever pleases (login CSRF): it signs in nobody, and the application
// begins a sign-in that we ask for ourselves. The provider then answers at once.
import { type Cause, event, ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { causeOf, type Logger, type Reply, type TenantDirectory } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import type { Request } from 'express';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed } from '../applications/known-application.ts';
import { atOf } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { KindName, Kinds } from '../connections/kinds/registry.ts';
import { meaningOf } from './failure-meaning.ts';

export type UnsolicitedParts = {
  applications: ApplicationDirectory;
  connections: ConnectionDirectory;
  tenants: TenantDirectory;
  kinds: Kinds;
  store: Pick<Store, 'recordFact'>;
  issuer: string;
  log: Logger;
};

type Came = { request: Request; connectionId: string; by: KindName; form: URLSearchParams };

/** Throws `sign_in_failed`, or `sign_in_expired` for what belongs to no connection that is in use. */
export async function startedElsewhere(parts: UnsolicitedParts, came: Came): Promise<Reply<never>> {
  const found = await parts.connections.findAnywhere(came.connectionId);
  const isOpen = found?.state.kind === came.by && found.state.status === 'active';
  if (!isOpen || (await parts.tenants.findNow(found.tenantId))?.status !== 'active')
    throw new ProblemError('sign_in_expired');
  const { tenantId } = found;
  const { actor, context, correlationId } = causeOf(came.request, null);
  const cause: Cause = { actor, correlationId, context: { ...context, connectionId: found.id } };
  const at = atOf(tenantId, found, cause);
  const kind: ConnectionKind = parts.kinds[came.by];
  try {
    const taken = await kind.takeUnsolicited?.(at, came.form.toString());
    const application = taken && (await parts.applications.find(taken.clientId));
    // An application that does not serve the tenant is none of this connection's.
    if (!(application && isServed(application, tenantId)) || application.initiateLoginUri === null)
      throw new StepError('unsolicited');
    return {
      redirect: toApplication(application.initiateLoginUri, { iss: parts.issuer, tenant: tenantId, connection: at.id }),
    };
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const { step, seen } = error;
    const about = { requestId: context.requestId, tenantId, connectionId: found.id, step, seen };
    parts.log.warn(about, 'a sign-in that began at the identity provider is refused');
    // What the provider has not said is not on the record: anybody could fill it.
    if (error.step === 'unsolicited') {
      const details = { method: came.by, step: error.step };
      await parts.store.recordFact(
        tenantId,
        event('sign_in.failed', { id: at.id, because: error.step, details }),
        cause,
      );
    }
    throw new ProblemError('sign_in_failed', undefined, { cause: error, ...meaningOf(error.step) });
  }
}

/** OpenID Connect Core §4, with what an application that serves many tenants has to hand on to us. */
function toApplication(initiateLoginUri: string, parameters: Record<string, string>): string {
  const url = new URL(initiateLoginUri);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
