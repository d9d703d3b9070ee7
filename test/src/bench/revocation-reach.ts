// How long after a session has ended its tokens are still taken, while as many people sign in as this machine can: at
// an API that verifies locally by the SDK with the revocation feed, and at a service that follows the topic.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { platformApi } from '@reeve/local/seed';
import { createVerifier, revocationFeed, type Verifier } from '@reeve/sdk';
import { decodeJwt } from 'jose';
import type { BenchContext, CostBench } from './bench-context.ts';
import { type Application, type Door, doorOf, everybodyIsNew, prepared, signInBy } from './sign-in.ts';

const people = 100;
const atOnce = 8;
const lookEveryMs = 10;
const giveUpMs = 30_000;

type Victim = { userId: string; atApi: string; atService: string };

export const revocationReach: CostBench = {
  name: 'revocation while people sign in',
  async run(context) {
    const { credentials } = context;
    const { auth, provisioning } = credentials.urls;
    const api = platformApi(credentials);
    const { tenant, application } = await prepared(context, 'oidc');
    const { resource, verifier } = await protectedApi(context);
    const door = doorOf(auth, application);
    const victims: Victim[] = [];
    for (let n = 0; n < people; n += 1) victims.push(await signedIn(context, door, [resource, provisioning]));

    everybodyIsNew(context);
    let [isOver, signIns] = [false, 0];
    const began = performance.now();
    const load = Array.from({ length: atOnce }, async () => {
      while (!isOver) {
        await signInBy(door);
        signIns += 1;
      }
    });
    const isTaken = {
      'an API by the SDK': ({ atApi }: Victim) => verifier.verify(atApi).then(yes, no),
      'a service': async ({ atService }: Victim) => {
        const headers = { authorization: `Bearer ${atService}` };
        return (await fetch(`${provisioning}/v1/tenants/${tenant.id}`, { headers })).status !== 401;
      },
    };
    const reached = new Map(Object.keys(isTaken).map(name => [name, [] as number[]]));
    for (const victim of victims) {
      for (const [name, look] of Object.entries(isTaken))
        if (!(await look(victim))) throw new Error(`${name} refuses a token that counts`);
      await api.post(`${auth}/v1/tenants/${tenant.id}/users/${victim.userId}/sessions:terminate`);
      const ended = performance.now();
      await Promise.all(
        Object.entries(isTaken).map(async ([name, look]) => {
          while (await look(victim)) {
            if (performance.now() - ended > giveUpMs) throw new Error(`${name} takes a token of a session that ended`);
            await pause(lookEveryMs);
          }
          reached.get(name)?.push(performance.now() - ended);
        }),
      );
    }
    const seconds = (performance.now() - began) / 1_000;
    isOver = true;
    await Promise.all([...load, verifier.stop()]);
    const results = [...reached].map(([name, times]) => ({
      what: `from the end of a session to refusal by ${name}`,
      costs: [
        { of: 'ms, half of them', each: quantile(times, 0.5) },
        { of: 'ms, 99 of 100', each: quantile(times, 0.99), atMost: 1_000 },
      ],
      details: { signInsPerSecond: Math.round(signIns / seconds) },
    }));
    return { results, details: {} };
  },
};

const yes = () => true;
const no = () => false;

function quantile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}

/** An API of the product that verifies as the SDK does. */
async function protectedApi({ credentials }: BenchContext): Promise<{ resource: string; verifier: Verifier }> {
  const { issuer, urls } = credentials;
  const platform = platformApi(credentials);
  const resource = `https://${randomUUID()}.product.example`;
  const api = { name: 'Bench', identifier: resource, scopes: [], applications: 'all' };
  await platform.post(`${urls.auth}/v1/resource-servers`, api);
  const machine = { name: 'Bench', kind: 'machine', tenants: 'all', grantTypes: ['client_credentials'] };
  const own = await platform.post<Application>(`${urls.auth}/v1/applications`, machine);
  const from = revocationFeed({ clientId: own.clientId, clientSecret: own.clientSecret });
  const verifier = createVerifier({ issuer, audience: resource, revocations: { from, staleAfterMs: 10_000 } });
  await verifier.start();
  return { resource, verifier };
}

/** A person with a session at each of two, which end together. */
async function signedIn(
  { identityProvider }: BenchContext,
  door: Door,
  [api, service]: readonly [string, string],
): Promise<Victim> {
  const sub = randomUUID();
  identityProvider.is(() => ({ sub, email: `${sub}@bench.example`, email_verified: true, name: 'Somebody' }));
  const atApi = await signInBy({ ...door, resource: api });
  const atService = await signInBy({ ...door, resource: service });
  const userId = decodeJwt(atApi.id_token).sub ?? '';
  return { userId, atApi: atApi.access_token, atService: atService.access_token };
}
