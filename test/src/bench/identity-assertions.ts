// How long an assistant waits for the token that its user's identity provider has vouched for, in the session that it
// has of them by then: each assertion is another one, which is verified and used up.
import { randomUUID } from 'node:crypto';
import { platformApi } from '@reeve/local/seed';
import { signedBy } from '@reeve/testing/identity-provider';
import type { BenchContext, CostBench, CostResult } from './bench-context.ts';
import { type Application, doorOf, postForm, prepared, repeat, signInBy } from './sign-in.ts';

const people = 100;
/** One after the other, as one assistant asks; and as many as keep the processors busy. */
const loads = [
  { atOnce: 1, count: 1_000 },
  { atOnce: 4, count: 2_000 },
];
const mostMs = 20;

export const assertionRedemption: CostBench = {
  name: 'auth: assistants redeem identity assertions',
  async run(context) {
    const { assertionOf, redeem, subjects } = await assistant(context);
    for (const sub of subjects) await redeem(await assertionOf(sub));
    const results: CostResult[] = [];
    for (const { atOnce, count } of loads) {
      const waiting = await Promise.all(
        Array.from({ length: count }, (_, index) => assertionOf(subjects[index % people] ?? '')),
      );
      const took: number[] = [];
      const before = context.processorMs()['auth'] ?? 0;
      const perSecond = await repeat(count, atOnce, async () => {
        const assertion = waiting.pop() ?? '';
        const from = performance.now();
        await redeem(assertion);
        took.push(performance.now() - from);
      });
      const ms = ((context.processorMs()['auth'] ?? 0) - before) / count;
      const p95 = took.toSorted((one, other) => one - other)[Math.floor(took.length * 0.95)] ?? Infinity;
      const costs = [
        { of: 'ms that 95 of 100 wait at most', each: p95, atMost: mostMs },
        { of: 'ms of auth', each: ms },
      ];
      const what = `an assertion for a person in whose session the assistant is, ${atOnce} at once`;
      results.push({ what, perSecond, costs, details: {} });
    }
    return { results, details: { people } };
  },
};

/** One that is allowed an API, and people who have signed in before. */
async function assistant({ credentials, identityProvider, ...context }: BenchContext) {
  const { auth } = credentials.urls;
  const platform = platformApi(credentials);
  const { tenant, application } = await prepared({ credentials, identityProvider, ...context }, 'oidc');
  const base = `${auth}/v1/tenants/${tenant.id}`;
  const resource = `https://${randomUUID()}.product.example`;
  const api = { name: 'Bench', identifier: resource, scopes: [{ name: 'use' }], applications: 'all' };
  await platform.post(`${auth}/v1/resource-servers`, api);
  const settings = { name: 'Assistant', kind: 'machine', grantTypes: ['jwt_bearer'] };
  const made = await platform.post<Application>(`${base}/applications`, settings);
  const { items } = await platform.get<{ items: { id: string }[] }>(`${base}/sso-connections`);
  const connectionId = items[0]?.id;
  const trust = { tenantClaim: tenant.id, algorithms: ['ES256'] };
  const path = `${base}/sso-connections/${connectionId}/identity-assertions`;
  const trusted = await platform.send('PUT', path, { body: trust });
  if (!trusted.ok) throw new Error(`the connection may not vouch: ${trusted.status}`);
  const policy = { connectionId, clientId: made.clientId, resource, scopes: ['use'] };
  await platform.post(`${base}/assistant-policies`, policy);
  const key = await identityProvider.changesItsKeys();
  const subjects = Array.from({ length: people }, () => randomUUID());
  for (const sub of subjects) {
    identityProvider.is({ sub, email: `${sub}@bench.example`, email_verified: true, name: 'Somebody' });
    await signInBy(doorOf(auth, application));
  }
  return {
    subjects,
    assertionOf(sub: string): Promise<string> {
      const now = Math.floor(Date.now() / 1_000);
      const about = { iss: identityProvider.issuer, tenant: tenant.id, aud: auth, client_id: made.clientId };
      const claims = { ...about, sub, resource, jti: randomUUID(), iat: now, exp: now + 300 };
      return signedBy(key, claims, { typ: 'oauth-id-jag+jwt' });
    },
    redeem: (assertion: string) =>
      postForm(`${auth}/token`, made, { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion }),
  };
}
