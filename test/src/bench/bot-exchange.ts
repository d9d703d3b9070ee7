// What a bot's exchange of its user's token costs auth: the first of a person, for whom a session begins, which asks the
// directory who they are; and those after it, of which each brings another token to be verified and makes one.
import { randomUUID } from 'node:crypto';
import { platformApi } from '@reeve/local/seed';
import { signedBy } from '@reeve/testing/identity-provider';
import type { BenchContext, CostBench, CostResult } from './bench-context.ts';
import { type Application, doorOf, postForm, prepared, repeat, signInBy } from './sign-in.ts';

const people = 200;
const atOnce = 16;
const [rounds, each] = [3, 2_000];
const audience = 'api://bench';
/** Of a processor: 500 a second and more. */
const mostMs = 2;

export const botExchange: CostBench = {
  name: 'auth: bots exchange tokens of their users',
  async run(context) {
    const { exchange, chats } = await bot(context);
    const measured = async (what: string, count: number, work: (index: number) => Promise<void>) => {
      const before = context.processorMs()['auth'] ?? 0;
      let next = 0;
      const perSecond = await repeat(count, atOnce, () => work(next++));
      const ms = ((context.processorMs()['auth'] ?? 0) - before) / count;
      return { what, perSecond, ms };
    };
    const first = await measured('the first exchange of a person at a bot', people, index =>
      exchange(chats[index] ?? ''),
    );
    const results: CostResult[] = [
      { what: first.what, perSecond: first.perSecond, costs: [{ of: 'ms of auth', each: first.ms }], details: {} },
    ];
    const again = [];
    for (let round = 0; round < rounds; round += 1)
      again.push(
        await measured('an exchange of a person who is signed in at the bot', each, index =>
          exchange(chats[index % people] ?? ''),
        ),
      );
    const middle = again.toSorted((one, other) => one.ms - other.ms)[Math.floor(rounds / 2)] ?? first;
    results.push({
      what: middle.what,
      perSecond: middle.perSecond,
      costs: [{ of: 'ms of auth', each: middle.ms, atMost: mostMs }],
      details: { rounds: again.map(({ ms }) => Math.round(ms * 100) / 100) },
    });
    return { results, details: { people, atOnce } };
  },
};

/** A bot, whose users have signed in to the product before. */
async function bot(context: BenchContext) {
  const { credentials, identityProvider } = context;
  const { auth } = credentials.urls;
  const platform = platformApi(credentials);
  const { tenant, application, machine } = await prepared(context, 'oidc');
  const base = `${auth}/v1/tenants/${tenant.id}`;
  const resource = `https://${randomUUID()}.product.example`;
  const api = { name: 'Bench', identifier: resource, scopes: [{ name: 'use' }], applications: 'all' };
  await platform.post(`${auth}/v1/resource-servers`, api);
  const { items } = await platform.get<{ items: { id: string }[] }>(`${base}/sso-connections`);
  await platform.post(`${base}/auth-keys`, { authKey: 'default', connectionId: items[0]?.id });
  const connection = { name: 'c', authKey: 'default', tokenExchange: { audience }, resource, scopes: ['use'] };
  await platform.post(`${base}/bots`, { name: 'Bench', clientId: machine.clientId, connections: [connection] });
  const key = await identityProvider.changesItsKeys();
  const chats = Array.from({ length: people }, () => randomUUID());
  for (const sub of chats) {
    identityProvider.is({ sub, email: `${sub}@bench.example`, email_verified: true, name: 'Somebody' });
    await signInBy(doorOf(auth, application));
  }
  let serial = 0;

  async function exchange(sub: string): Promise<void> {
    const now = Math.floor(Date.now() / 1_000);
    serial += 1;
    const claims = { iss: identityProvider.issuer, aud: audience, sub, iat: now, exp: now + 300, jti: `${serial}` };
    const query = new URLSearchParams({ userId: sub, connectionName: 'c', channelId: 'bench' });
    const response = await fetch(`${auth}/api/usertoken/exchange?${query}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokenOf(auth, machine)}`, 'content-type': 'application/json' },
      body: JSON.stringify({ token: await signedBy(key, claims) }),
    });
    const { token, failureDetail } = (await response.json()) as { token?: string; failureDetail?: string };
    if (token === undefined) throw new Error(`no token: ${response.status} ${failureDetail}`);
  }
  return { exchange, chats };
}

let kept: { token: Promise<string>; until: number } | undefined;

/** The bot's own, for as long as it counts. */
function tokenOf(auth: string, machine: Application): Promise<string> {
  if (!kept || kept.until < Date.now()) {
    const asked = { grant_type: 'client_credentials', scope: 'bots:act', resource: auth };
    const token = postForm<{ access_token: string }>(`${auth}/token`, machine, asked).then(got => got.access_token);
    kept = { token, until: Date.now() + 120_000 };
  }
  return kept.token;
}
