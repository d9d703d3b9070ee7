// Tells the servers of applications that sessions have ended, until they have heard it. One process at a time does it
// for a notice; a tenant whose applications are slow keeps no other's waiting.
import { metrics } from '@opentelemetry/api';
import { ProblemError } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import {
  delivered,
  type Failure,
  failed,
  type LogoutNotice,
  type LogoutNotices,
  notWanted,
  take,
} from './logout-notice.ts';
import { logoutToken } from './logout-token.ts';

type Parts = {
  notices: LogoutNotices;
  applications: Pick<ApplicationDirectory, 'find'>;
  keys: Pick<SigningKeys, 'signing'>;
  issuer: string;
  fetch: GuardedFetch;
  clock: Clock;
  random?: () => number;
  onError: (error: unknown) => void;
};

/** More than an application is waited for. */
const leaseMs = 30_000;

const outcomes = metrics.getMeter('@reeve/auth').createCounter('reeve.logout_notices', {
  description: 'Back-channel logout: notices that were delivered, or not, by what came of the attempt',
});

export function sendLogoutNotices({ notices, applications, keys, issuer, fetch, clock, ...parts }: Parts) {
  const { random = Math.random, onError } = parts;

  /** Null where it has heard it. */
  async function tell(uri: string, token: string): Promise<Failure | null> {
    try {
      const { ok } = await fetch(uri, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({ logout_token: token }).toString(),
        withoutBody: true,
      });
      return ok ? null : 'refused';
    } catch (error) {
      return error instanceof ProblemError && error.code === 'url_refused' ? 'url_refused' : 'unreachable';
    }
  }

  async function work(turn: Held<LogoutNotice>): Promise<void> {
    const application = await applications.find(turn.state.clientId);
    const uri = application?.backchannelLogoutUri ?? null;
    if (!application || uri === null) return void (await turn.change(notWanted));
    const token = await logoutToken({ keys, issuer, now: clock.now() }, turn.state, application);
    const failure = await tell(uri, token);
    outcomes.add(1, { outcome: failure ?? 'delivered' });
    if (failure === null) return void (await turn.change(state => delivered(state, clock.now())));
    const { state, events } = failed(turn.state, failure, { now: clock.now(), jitter: random() });
    await turn.change(() => state, events);
  }

  const reason = 'applications of all tenants that are owed the end of a session';
  return worker({
    ...leased({ collection: notices, reason, take, forMs: leaseMs, clock, service: 'auth' }),
    work,
    atOnce: 32,
    ofOneTenant: 8,
    long: { fromMs: 1_000, atOnce: 16 },
    everyMs: 2_000,
    onError,
  });
}
