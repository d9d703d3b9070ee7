// Runbooks whose faults leave the engines alone, one after the other in one system.
import { afterAll, beforeAll, test } from '@jest/globals';
import { createFakeClock } from '@reeve/local/fake-clock';
import type { Credentials } from '@reeve/local/system';
import { given } from '@reeve/testing/given';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { rehearseClockDrift } from './clock-drift.ts';
import { rehearseExpiredMetadata } from './expired-metadata.ts';
import { rehearseKeyCompromise } from './key-compromise.ts';
import { rehearsePoisonEvent } from './poison-event.ts';
import { type Receiver, startReceiver } from './rehearsal.ts';
import { rehearseResendStorm } from './resend-storm.ts';
import { rehearseSignInFailures } from './sign-in-failures.ts';
import { rehearseStuckSink } from './stuck-sink.ts';
import { rehearseTokenRevocation } from './token-revocation-incident.ts';

const minutes = 60_000;
/** Each takes some ten seconds where nobody else is at work. */
const allowed = 4 * minutes;
// One after the other: the first may have to fetch what makes them.
const clockOfAuth = await createFakeClock();
const clockOfIngress = await createFakeClock();

let own: OwnSystem;
let credentials: Credentials;
let receiver: Receiver;
let idp: SamlIdentityProvider;
let compromised: () => Promise<void>;

beforeAll(async () => {
  [receiver, idp] = await Promise.all([startReceiver(), startSamlIdentityProvider()]);
  const environment = { REEVE_ALLOWED_PRIVATE_ORIGINS: `${receiver.url},${idp.url}`, REEVE_RATE_LIMITS: 'on' };
  const environmentOf = {
    auth: clockOfAuth?.environment ?? {},
    'webhook-ingress': clockOfIngress?.environment ?? {},
  };
  own = await startOwnSystem('runbooks', { environment, environmentOf });
  credentials = own.system.credentials;
}, 3 * minutes);
afterAll(async () => {
  await own.stop();
  await Promise.all([receiver.stop(), idp.stop()]);
  for (const clock of [clockOfAuth, clockOfIngress]) clock?.stop();
}, minutes);

test(
  'key-compromise: another key signs at once, and the one before is taken away',
  async () => {
    compromised = await rehearseKeyCompromise(credentials);
  },
  allowed,
);

test(
  'sign-in-failures: the cause is found, and a change that broke sign-ins is taken back',
  () => rehearseSignInFailures(credentials),
  allowed,
);

test(
  'expired-metadata: people sign in past the date, and again after the next certificate is read',
  () => rehearseExpiredMetadata(credentials, idp),
  allowed,
);

test(
  'token-revocation-incident: the secret, the tokens of a client, of a person and of everybody end',
  () => rehearseTokenRevocation(credentials),
  allowed,
);

test(
  'poison-event: what cannot be read is set aside and found, and what comes after it is read',
  () => rehearsePoisonEvent(credentials),
  allowed,
);

test(
  'stuck-sink: a receiver that fails is found, and gets everything once it is mended',
  () => rehearseStuckSink(credentials, receiver),
  allowed,
);

test(
  'resend-storm: five thousand repetitions reach nobody twice, and the partner is held back',
  () => rehearseResendStorm(credentials),
  allowed,
);

test('key-compromise: what the key has signed is refused by services a minute later', () => compromised(), allowed);

given(clockOfAuth !== null && clockOfIngress !== null, 'libfaketime').test(
  'clock-drift: the service whose clock is wrong is found, and works again by the right time',
  async () => {
    if (clockOfAuth && clockOfIngress) await rehearseClockDrift(credentials, { clockOfAuth, clockOfIngress });
  },
  allowed,
);
