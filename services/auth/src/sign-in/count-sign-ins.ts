// How sign-ins end, for whoever watches the service: by cause for all of them, and by tenant and connection without the
// cause, so that the series of either are as many as their own list is long. Of tenants there are more than a store of
// metrics takes: the process has series of its own for the first of them, and one for all others together
// (service-kit/telemetry.ts). A span says so as well, so that a collector can keep what failed.
import { metrics, SpanStatusCode, trace } from '@opentelemetry/api';
import type { SignInCause, SignInFailure } from '@reeve/contracts';
import type { SignIn } from './sign-in.ts';

const meter = metrics.getMeter('@reeve/auth');
const ends = meter.createCounter('reeve.sign_ins', { description: 'Sign-ins that ended, by outcome and cause' });
const endsByConnection = meter.createCounter('reeve.sign_ins.by_connection', {
  description: 'Sign-ins that ended, by tenant and connection; the first 2,000 series of a process, then all others',
});

type Ended = Pick<SignIn, 'tenantId' | 'connectionId' | 'method'>;

export function countSucceeded(ended: Ended): void {
  count(ended, { outcome: 'succeeded' });
}

/** Of ours are those that no tenant and no person can mend: they count against what operators promise. */
export function countFailed(ended: Ended, { step, cause }: { step: SignInFailure; cause: SignInCause }): void {
  const isOurs = step === 'internal' || step === 'dependency_unavailable';
  count(ended, { outcome: isOurs ? 'error' : 'failed', cause });
  const span = trace.getActiveSpan();
  span?.setAttributes({ 'reeve.sign_in.outcome': 'failed', 'reeve.sign_in.cause': cause });
  if (isOurs) span?.setStatus({ code: SpanStatusCode.ERROR });
}

type End = { outcome: 'succeeded' | 'failed' | 'error'; cause?: SignInCause };

function count({ tenantId, connectionId, method }: Ended, end: End): void {
  ends.add(1, { ...end, method: method ?? 'unknown' });
  if (tenantId !== null && connectionId !== null)
    endsByConnection.add(1, { outcome: end.outcome, tenant: tenantId, connection: connectionId });
}
