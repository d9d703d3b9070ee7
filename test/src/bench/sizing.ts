// What `reeve sizing` reckons with: what one of each operation costs every process and leaves in stores and topics, and
// whether that says what two mixed loads cost. `REEVE_BENCH_RECORD=1` writes it where the command reads it.
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { platformApi, tenantApi } from '@reeve/local/seed';
import { type Amounts, amountsOf, costsFile, costsSchema, type Operation, operations, sum } from '@reeve/sizing';
import { MongoClient } from 'mongodb';
import { type Steady, startSteady } from '../support/steady.ts';
import type { BenchContext, CostBench, CostResult } from './bench-context.ts';
import { postWebhook } from './load.ts';
import { doorOf, postForm, prepared, signInBy } from './sign-in.ts';

type Rates = Partial<Record<Operation, number>>;

const prefix = 'reeve_';
const peers = ['demo-idp', 'demo-oauth-provider', 'load'];
const knownPeople = 40;
const atOnce = 48;
const restMs = 20_000;
const warmUpMs = 5_000;
const measuredMs = 30_000;
/** Until what follows from an operation has reached every service. */
const settleMs = 8_000;
/** Until a checkpoint was signed of what came last, too. */
const checkpointMs = 65_000;

/** So many a second while one of them is measured by itself. */
const alone: Record<Operation, number> = {
  signIn: 8,
  signInOfNew: 8,
  refresh: 20,
  request: 60,
  webhook: 150,
  repeatedWebhook: 150,
  webhookOfQuietTenant: 15,
};
/** Each sends one webhook while that is measured. */
const quietTenants = (alone.webhookOfQuietTenant * (warmUpMs + measuredMs)) / 1_000;
/** And what two cores, with the load beside it, can just answer. */
const mixed: Record<string, Rates> = {
  'a quiet hour': {
    signIn: 1,
    signInOfNew: 0.2,
    refresh: 2,
    request: 10,
    webhookOfQuietTenant: 15,
    repeatedWebhook: 1,
  },
  'a busy hour': { signIn: 5, signInOfNew: 1, refresh: 10, request: 40, webhook: 75, repeatedWebhook: 5 },
};

type Endpoint = { url: string; secret: string };
type Work = Record<Operation, () => Promise<void>>;

export const sizing: CostBench = {
  name: 'sizing: one of each operation, and two mixed loads',
  async run(context) {
    const work = await workOf(context);
    const client = new MongoClient(context.credentials.mongodb);
    const spent = spentIn(context, client);

    await sleep(checkpointMs);
    const rest = await spent(() => sleep(restMs));
    const costs = {} as Record<Operation, Amounts>;
    const results: CostResult[] = [];
    for (const operation of operations) {
      const rates = { [operation]: alone[operation] };
      await during(work, rates, warmUpMs);
      const isQuiet = operation === 'webhookOfQuietTenant';
      await sleep(settleMs);
      const { counts, amounts, seconds } = await measured(operation, rates, isQuiet ? checkpointMs : settleMs);
      costs[operation] = perOne(amounts, { rest, seconds, count: counts[operation] });
      results.push(resultOf(operation, costs[operation]));
    }
    const all = costsSchema.parse({
      measuredAt: new Date().toISOString().slice(0, 10),
      machine: `${cpus().length} cores of ${cpus()[0]?.model.trim()}, Node ${process.versions.node}`,
      atRest: { processorMs: ours(scaled(rest.processorMs, 1 / rest.seconds)), memoryMb: context.memoryMb() },
      operations: costs,
      checks: [],
    });

    for (const [name, rates] of Object.entries(mixed)) {
      const { counts, amounts, seconds } = await measured(name, rates, checkpointMs);
      const { webhook, webhookOfQuietTenant: quiet } = counts;
      // Whether a checkpoint follows each is for the model to say, by how many tenants there are.
      const tenants = 1 + Math.min(quiet, quietTenants);
      const load = { counts: { ...counts, webhook: webhook + quiet, webhookOfQuietTenant: 0 }, seconds, tenants };
      const reckoned = amountsOf(all, load);
      const found = { processorMs: sum(ours(amounts.processorMs)), bytes: sum(amounts.storeBytes) };
      const said = { processorMs: sum(ours(reckoned.processorMs)), bytes: sum(reckoned.storeBytes) };
      const ratio = { processor: said.processorMs / found.processorMs, storage: said.bytes / found.bytes };
      const untilSettledSeconds = seconds - measuredMs / 1_000;
      const cores = (found.processorMs - sum(all.atRest.processorMs) * untilSettledSeconds) / measuredMs;
      const check = { name, tenants, perSecond: scaled(counts, 1_000 / measuredMs), cores, ratio };
      all.checks.push(check);
      results.push({
        what: `${name}: what the model says against what was measured`,
        costs: [
          { of: 'of the processor time', each: ratio.processor },
          { of: 'of the storage', each: ratio.storage },
        ],
        details: { ...check, processorMs: { said: ours(reckoned.processorMs), found: ours(amounts.processorMs) } },
      });
    }
    await client.close();
    if (process.env['REEVE_BENCH_RECORD'] !== undefined) writeFileSync(costsFile, `${JSON.stringify(all, null, 2)}\n`);
    return { results, details: { machine: all.machine, atRest: all.atRest } };

    async function measured(name: string, rates: Rates, untilSettledMs: number) {
      const began = performance.now();
      let counts = {} as Record<Operation, number>;
      const amounts = await spent(async () => {
        counts = await during(work, rates, measuredMs);
        await sleep(untilSettledMs);
      });
      for (const operation of operations) {
        const wanted = ((rates[operation] ?? 0) * measuredMs) / 1_000;
        if (counts[operation] < wanted * 0.9 - 1)
          throw new Error(`${name}: this machine is too slow: ${counts[operation]} of ${wanted} of ${operation}`);
      }
      return { counts, amounts, seconds: (performance.now() - began) / 1_000 };
    }
  },
};

/** How many of each there were. Throws where one is not answered as it should be. */
async function during(work: Work, rates: Rates, ms: number): Promise<Record<Operation, number>> {
  const counts = Object.fromEntries(operations.map(operation => [operation, 0])) as Record<Operation, number>;
  const failures: unknown[] = [];
  const running: Steady[] = Object.entries(rates).map(([name, rate]) => {
    const operation = name as Operation;
    return startSteady(rate, atOnce, async () => {
      try {
        await work[operation]();
        counts[operation] += 1;
      } catch (error) {
        failures.push(error);
      }
    });
  });
  await sleep(ms);
  await Promise.all(running.map(steady => steady.stop()));
  if (failures.length > 0)
    throw new AggregateError(failures.slice(0, 3), `${failures.length} were not answered as they should be`);
  return counts;
}

async function workOf(context: BenchContext): Promise<Work> {
  const { credentials, identityProvider } = context;
  const { auth, provisioning, webhookIngress } = credentials.urls;
  const { tenant, application } = await prepared(context, 'oidc');
  const door = doorOf(auth, application);
  const api = platformApi(credentials);
  // What the platform asks of a tenant is an event in its log; what the tenant's own client asks is none.
  const ofTenant = await tenantApi(credentials, tenant);
  const endpointOf = (tenantId: string) =>
    api.post<Endpoint>(`${webhookIngress}/v1/tenants/${tenantId}/webhook-endpoints`, { connectorId: 'sizing' });
  const endpoint = await endpointOf(tenant.id);
  const quiet: Endpoint[] = [];
  while (quiet.length < quietTenants) {
    const slug = `quiet-${randomUUID().slice(0, 12)}`;
    const { id } = await api.post<{ id: string }>(`${provisioning}/v1/tenants`, { slug, name: 'Quiet' });
    quiet.push(await endpointOf(id));
  }

  // Whoever comes next is whom the provider says: those who are known are asked for more often than they are made.
  const known = Array.from({ length: knownPeople }, () => randomUUID());
  const next: string[] = [];
  identityProvider.is(() => {
    const sub = next.shift() ?? randomUUID();
    const email = `${sub}@bench.example`;
    return { sub, email, email_verified: true, preferred_username: sub, name: 'Somebody', given_name: 'Some' };
  });
  const signInOf = (person: string) => {
    next.push(person);
    return signInBy(door);
  };
  const tokens: string[] = [];
  for (const person of known) tokens.push((await signInOf(person)).refresh_token);
  let turn = 0;
  const refreshing = [...tokens];
  const sentBefore = Array.from({ length: 500 }, () => `msg_${randomUUID()}`);
  const agent = new Agent({ keepAlive: true });
  const deliver = async (id: string, status: number, { url, secret } = endpoint) => {
    const got = await postWebhook(url, secret, { id, agent });
    if (got !== status) throw new Error(`a webhook was answered ${got}`);
  };
  for (const id of sentBefore) await deliver(id, 202);
  // The first events of a tenant begin its chains, and cost more than those after them.
  for (const one of quiet) await deliver(`msg_${randomUUID()}`, 202, one);
  const users = `${provisioning}/v1/tenants/${tenant.id}/users?limit=1`;
  return {
    signIn: async () => void (await signInOf(known[turn++ % known.length] ?? '')),
    signInOfNew: async () => void (await signInOf(randomUUID())),
    async refresh() {
      // Nobody has a token that is on its way.
      const token = refreshing.shift();
      if (token === undefined) return;
      const form = { grant_type: 'refresh_token', refresh_token: token };
      refreshing.push((await postForm<{ refresh_token: string }>(door.token, application, form)).refresh_token);
    },
    webhook: () => deliver(`msg_${randomUUID()}`, 202),
    repeatedWebhook: () => deliver(sentBefore[turn++ % sentBefore.length] ?? '', 200),
    webhookOfQuietTenant: () => deliver(`msg_${randomUUID()}`, 202, quiet[turn++ % quiet.length]),
    request: async () => void (await ofTenant.get(users)),
  };
}

/** By how much everything goes up while something is done. */
function spentIn({ processorMs, topicBytes }: BenchContext, client: MongoClient) {
  async function now(): Promise<Amounts & { at: number }> {
    const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true });
    const storeBytes: Record<string, number> = {};
    await client.db('admin').command({ fsync: 1 });
    for (const { name } of databases.filter(each => each.name.startsWith(prefix))) {
      const stats = await client.db(name).command({ dbStats: 1, freeStorage: 1 });
      // Without what was written over, which is used again.
      storeBytes[serviceOf(name)] = Number(stats['totalSize']) - Number(stats['totalFreeStorageSize']);
    }
    const auditEvents = await client.db(`${prefix}audit`).collection('audit_records').countDocuments();
    return { at: performance.now(), processorMs: processorMs(), storeBytes, topicBytes: topicBytes(), auditEvents };
  }
  return async (work: () => Promise<unknown>): Promise<Amounts & { seconds: number }> => {
    const before = await now();
    await work();
    const after = await now();
    return {
      seconds: (after.at - before.at) / 1_000,
      processorMs: minus(after.processorMs, before.processorMs),
      storeBytes: minus(after.storeBytes, before.storeBytes),
      topicBytes: minus(after.topicBytes, before.topicBytes),
      auditEvents: after.auditEvents - before.auditEvents,
    };
  };
}

const serviceOf = (database: string) => database.slice(prefix.length).replaceAll('_', '-');

/** What one of so many took, without what goes on at rest. Bytes are what was added: what is written at rest is not. */
function perOne(
  amounts: Amounts,
  { rest, seconds, count }: { rest: Amounts & { seconds: number }; seconds: number; count: number },
): Amounts {
  const share = seconds / rest.seconds;
  const atWork = Object.entries(amounts.processorMs).map(
    ([name, total]) => [name, total - (rest.processorMs[name] ?? 0) * share] as const,
  );
  const each = (of: Record<string, number>) =>
    Object.fromEntries(Object.entries(scaled(of, 1 / count)).filter(([, value]) => value >= 0.01));
  return {
    processorMs: ours(each(Object.fromEntries(atWork))),
    storeBytes: each(amounts.storeBytes),
    topicBytes: each(amounts.topicBytes),
    auditEvents: Number((amounts.auditEvents / count).toPrecision(3)),
  };
}

function resultOf(what: string, { processorMs, storeBytes, topicBytes, auditEvents }: Amounts): CostResult {
  return {
    what,
    costs: [
      { of: 'processor ms', each: sum(processorMs) },
      { of: 'bytes in MongoDB', each: sum(storeBytes) },
      { of: 'bytes in Kafka', each: sum(topicBytes) },
      { of: 'events in the audit log', each: auditEvents },
    ],
    details: { processorMs, storeBytes, topicBytes },
  };
}

const ours = (of: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => !peers.includes(name)));

const minus = (after: Record<string, number>, before: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));

const scaled = <K extends string>(of: Record<K, number>, by: number): Record<K, number> =>
  Object.fromEntries(
    Object.entries<number>(of).map(([name, value]) => [name, Number((value * by).toPrecision(3))]),
  ) as Record<K, number>;
