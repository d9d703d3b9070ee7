// What the identity paths cost: store operations and processor time of all processes but those that are somebody
// else's, for one of each. Both hold on a machine that is busy with something else; what is asked of them at rest is
// measured before and taken out.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { platformApi } from '@reeve/local/seed';
import { createBrowser } from '@reeve/testing/browser';
import type { BenchContext, CostBench, CostResult } from './bench-context.ts';
import { countStoreOperations } from './store-operations.ts';

export const callback = 'http://localhost:5999/callback';
/** So long until what follows from an operation has reached every service. */
const settleMs = 4_000;
const restMs = 20_000;
/** So long until what a start leaves to do is done. */
const calmMs = 20_000;
/** Until the code that runs is the code that goes on running. */
const warmUps = 400;
const services = ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'];
const notOurs = ['demo-idp', 'demo-oauth-provider', 'load'];

export type Application = { clientId: string; clientSecret: string };
/** An OpenID provider, to an application of its own. */
export type Door = { authorize: string; token: string; application: Application; scope: string; resource?: string };
export type Tokens = { access_token: string; refresh_token: string; id_token: string };

export type Protocol = 'oidc' | 'saml';

/** From now on everybody who comes from either provider is somebody new. */
export function everybodyIsNew({ identityProvider, samlProvider }: BenchContext): void {
  const somebody = () => {
    const sub = randomUUID();
    return { sub, email: `${sub}@bench.example`, given_name: 'Somebody', family_name: 'New' };
  };
  identityProvider.is(() => {
    const { sub, ...rest } = somebody();
    return { sub, ...rest, email_verified: true, preferred_username: sub, name: 'Somebody New' };
  });
  samlProvider.is(() => {
    const { sub, ...attributes } = somebody();
    return { nameId: sub, attributes };
  });
}

/** A tenant whose people come by that protocol. */
export async function prepared({ credentials, identityProvider, samlProvider }: BenchContext, kind: Protocol) {
  const api = platformApi(credentials);
  const { auth, provisioning } = credentials.urls;
  const slug = `bench-${randomUUID().slice(0, 8)}`;
  const tenant = await api.post<{ id: string; slug: string }>(`${provisioning}/v1/tenants`, { slug, name: 'Bench' });
  const base = `${auth}/v1/tenants/${tenant.id}`;
  const settings = {
    oidc: { issuer: identityProvider.issuer, clientId: 'bench', clientSecret: 'bench' },
    saml: { metadataUrl: samlProvider.metadataUrl },
  };
  const connection = await api.post<{ id: string }>(`${base}/sso-connections`, {
    name: 'Identity provider',
    kind,
    [kind]: settings[kind],
    jit: { enabled: true },
  });
  await api.post(`${base}/sso-connections/${connection.id}:activate`);
  const application = await api.post<Application>(`${base}/clients`, {
    name: 'Application',
    grantTypes: ['authorization_code', 'refresh_token'],
    redirectUris: [callback],
  });
  const machine = await api.post<Application>(`${base}/clients`, { name: 'Machine' });
  return { tenant, application, machine };
}

export const doorOf = (auth: string, application: Application): Door => ({
  authorize: `${auth}/auth`,
  token: `${auth}/token`,
  application,
  // With a refresh token, which others give without being asked.
  scope: 'openid email profile offline_access',
});

export async function postForm<T>(
  url: string,
  { clientId, clientSecret }: Application,
  form: Record<string, string>,
): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams(form),
  });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** From the application's first redirect to its tokens, at a browser of its own. */
export async function signInBy({ authorize, token, application, scope, resource }: Door): Promise<Tokens> {
  // A challenge of method S256 of the verifier 'a…a'.
  const verifier = 'a'.repeat(43);
  const url = new URL(authorize);
  const asked = {
    client_id: application.clientId,
    redirect_uri: callback,
    response_type: 'code',
    scope,
    state: 'state',
    code_challenge: 'ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA',
    code_challenge_method: 'S256',
    ...(resource === undefined ? {} : { resource }),
  };
  for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
  const end = await createBrowser().open(url, callback);
  const code = end.url.searchParams.get('code');
  if (code === null) throw new Error(`the sign-in ended at ${end.url.href}: ${end.text.slice(-300)}`);
  const used = { grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier: verifier };
  return postForm<Tokens>(token, application, used);
}

function createIdentityPaths(
  context: BenchContext,
  { application, machine, tenant }: Awaited<ReturnType<typeof prepared>>,
) {
  const { auth, audit } = context.credentials.urls;

  const post = <T>(path: string, client: Application, form: Record<string, string>) =>
    postForm<T>(auth + path, client, form);

  return {
    signIn: (): Promise<Tokens> => signInBy(doorOf(auth, application)),

    refresh: (refreshToken: string) =>
      post<Tokens>('/token', application, { grant_type: 'refresh_token', refresh_token: refreshToken }),

    clientCredentials: () =>
      post('/token', machine, { grant_type: 'client_credentials', scope: `tenant:${tenant.id}`, resource: audit }),

    introspect: (token: string) => post('/token/introspection', application, { token }),
  };
}

/** Runs `work` so many times, so many at once. */
export async function repeat(
  times: number,
  atOnce: number,
  work: (worker: number) => Promise<unknown>,
): Promise<number> {
  const began = performance.now();
  let left = times;
  await Promise.all(
    Array.from({ length: atOnce }, async (_, worker) => {
      while (left-- > 0) await work(worker);
    }),
  );
  return (times / (performance.now() - began)) * 1_000;
}

export const identityPaths: CostBench = {
  name: 'sign-in, refresh, client credentials, introspection',
  async run(context) {
    const { credentials, processorMs } = context;
    everybodyIsNew(context);
    const paths = createIdentityPaths(context, await prepared(context, 'oidc'));
    const rest = await atRestOf(context);
    const sessions = await Promise.all(Array.from({ length: 16 }, () => paths.signIn()));
    await repeat(warmUps, 8, () => paths.signIn());
    await sleep(settleMs);
    const store = await countStoreOperations(credentials.mongodb, 'reeve_');

    const processor = async () => new Map(Object.entries(processorMs()).filter(([name]) => !notOurs.includes(name)));
    const counted = async (work: () => Promise<unknown>): Promise<Measured> => {
      await store.start();
      const did = await spentBy(store.byCollection, work);
      await store.pause();
      return did;
    };
    const atRest = { ops: await counted(() => sleep(restMs)), ms: await spentBy(processor, () => sleep(restMs)) };

    /** What `work` costs beyond what goes on anyway: once with its operations counted, and once without. */
    async function cost(what: string, times: number, atOnce: number, work: (worker: number) => Promise<unknown>) {
      let perSecond = 0;
      const all = async () => {
        perSecond = await repeat(times, atOnce, work);
        await sleep(settleMs);
      };
      const ops = each(await counted(all), { atRest: atRest.ops, times });
      const ms = each(await spentBy(processor, all), { atRest: atRest.ms, times });
      return {
        what: `${what}, ${atOnce} at once`,
        perSecond,
        costs: [
          { of: 'store operations', each: sum(ops.values()) },
          { of: 'processor ms', each: sum(ms.values()) },
        ],
        details: { processorMs: shares(ms, 0.2), storeOperations: shares(ops, 0.05) },
      };
    }

    const signIn = (times: number, atOnce: number) =>
      cost('sign-in of a new person', times, atOnce, () => paths.signIn());
    const results = [
      rest,
      atMost(await signIn(200, 1), [25, 45]),
      atMost(await signIn(200, 8), [25, 45]),
      await cost('refresh', 320, 16, async worker => {
        const own = sessions[worker];
        if (own) sessions[worker] = await paths.refresh(own.refresh_token);
      }),
      await cost('client credentials', 400, 8, () => paths.clientCredentials()),
      await cost('introspection', 400, 8, worker => paths.introspect(sessions[worker]?.refresh_token ?? '')),
    ];
    await store.stop();
    const perSecond = new Map([...atRest.ops.by].map(([name, count]) => [name, (count / atRest.ops.forMs) * 1_000]));
    return { results, details: { storeOperationsPerSecondAtRest: shares(perSecond, 0.05) } };
  },
};

type Measured = { forMs: number; by: ReadonlyMap<string, number> };

/** By how much the counts go up while something is done. */
async function spentBy(
  counts: () => Promise<ReadonlyMap<string, number>>,
  work: () => Promise<unknown>,
): Promise<Measured> {
  const before = await counts();
  const began = performance.now();
  await work();
  const forMs = performance.now() - began;
  const after = await counts();
  return { forMs, by: new Map([...after].map(([name, count]) => [name, count - (before.get(name) ?? 0)])) };
}

/** What one of so many took, without what goes on at rest. */
function each({ forMs, by }: Measured, { atRest, times }: { atRest: Measured; times: number }): Map<string, number> {
  const share = forMs / atRest.forMs;
  return new Map(
    [...by].map(([name, total]) => [name, Math.max(0, total - (atRest.by.get(name) ?? 0) * share) / times]),
  );
}

/** The services as they are when nobody has asked them for anything. */
async function atRestOf({ processorMs, memoryMb }: BenchContext): Promise<CostResult> {
  await sleep(calmMs);
  const { forMs, by } = await spentBy(
    async () => new Map(Object.entries(processorMs())),
    () => sleep(restMs),
  );
  const percent = new Map([...by].map(([name, ms]) => [name, (ms / forMs) * 100]));
  const memory = new Map(Object.entries(memoryMb()).filter(([name]) => services.includes(name)));
  return {
    what: 'at rest, all five services',
    costs: [
      { of: '% of a core', each: sum(services.map(name => percent.get(name) ?? 0)), atMost: 5 },
      { of: 'MB', each: sum(memory.values()), atMost: 700 },
    ],
    details: { processorPercent: shares(percent, 0.1), memoryMb: shares(memory, 1) },
  };
}

const sum = (counts: Iterable<number>) => [...counts].reduce((total, one) => total + one, 0);

/** With what each cost may be, in their order. */
const atMost = (result: CostResult, limits: readonly number[]): CostResult => ({
  ...result,
  costs: result.costs.map((one, index) => ({ ...one, atMost: limits[index] ?? Infinity })),
});

const shares = (of: ReadonlyMap<string, number>, least: number): Record<string, number> =>
  Object.fromEntries(
    [...of]
      .filter(([, value]) => value >= least)
      .toSorted(([, one], [, other]) => other - one)
      .map(([name, value]) => [name, Number(value.toFixed(2))]),
  );
