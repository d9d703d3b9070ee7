// Webhook ingress against its floor: 64 connections, 1 kB bodies. The floor has no audit service beside it on the same
// cores, so ours pauses while the ingress is measured, and is measured once more with it.
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { newSecret } from '@reeve/webhook-signatures';
import { freshTenant } from '../support/running-system.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { type Load, memoryOf, webhookLoad } from './load.ts';

const load = { connections: 64, seconds: 5 };
const warmUp = { connections: 64, seconds: 8 };
/** Floor and ours take turns, since the machine is not the same from one minute to the next. */
const rounds = 4;
/** `REEVE_BENCH_IDS=1000000` sends that many distinct ids before it looks at the memory. */
const idsForMemory = Number(process.env['REEVE_BENCH_IDS'] ?? 0);

type Server = { send: (seconds: number) => Promise<Load>; stop: () => Promise<void> };

async function startFloor({ startProcess, createTopic }: BenchContext): Promise<Server> {
  const topic = await createTopic('bench.floor.payloads', 3);
  const secret = newSecret('standard', null) ?? '';
  const { audit: port } = await freePorts();
  const file = join(repositoryRoot, 'test/src/bench/floor-ingress.ts');
  const server = await startProcess('floor-ingress', file, { PORT: String(port), SECRET: secret, TOPIC: topic }, port);
  const send = (seconds: number) => webhookLoad(`http://localhost:${port}/hook`, secret, { ...load, seconds });
  await send(warmUp.seconds);
  return { send, stop: () => server.stop() };
}

/** Both in turn with audit paused, and what all rounds of each come to. */
async function compare(context: BenchContext, send: Server['send']) {
  const { processorMs, system } = context;
  const server = await startFloor(context);
  system.pause('audit');
  const warm = await send(warmUp.seconds);
  const measured: { floor: Load; ours: Load }[] = [];
  const spent = { floor: new Map<string, number>(), ours: new Map<string, number>() };
  const measure = async (spentOn: Map<string, number>, one: Server['send']) => {
    const before = processorMs();
    const result = await one(load.seconds);
    for (const [name, ms] of Object.entries(processorMs()))
      spentOn.set(name, (spentOn.get(name) ?? 0) + ms - (before[name] ?? 0));
    return result;
  };
  for (let round = 0; round < rounds; round += 1)
    measured.push({ floor: await measure(spent.floor, server.send), ours: await measure(spent.ours, send) });
  await server.stop();
  const [floors, ours] = [together(measured.map(one => one.floor)), together(measured.map(one => one.ours))];
  const details = {
    p99Ms: Math.round(ours.p99Ms),
    floorP99Ms: Math.round(floors.p99Ms),
    processorMsEach: each(spent.ours, ours.sent),
    floorProcessorMsEach: each(spent.floor, floors.sent),
  };
  return { warm, floor: floors, ours, details };
}

/** What bounds the rate: processor time per delivery, of the processes that took a noticeable share. */
function each(spent: ReadonlyMap<string, number>, sent: number): Record<string, number> {
  const shares = [...spent].map(([name, ms]) => [name, Number((ms / sent).toFixed(2))] as const);
  return Object.fromEntries(shares.filter(([, ms]) => ms >= 0.02));
}

function together(loads: readonly Load[]): Load {
  const mean = (of: (load: Load) => number) => loads.reduce((sum, one) => sum + of(one), 0) / loads.length;
  return {
    sent: loads.reduce((sum, { sent }) => sum + sent, 0),
    perSecond: mean(({ perSecond }) => perSecond),
    p50Ms: mean(({ p50Ms }) => p50Ms),
    p99Ms: mean(({ p99Ms }) => p99Ms),
    statuses: Object.assign({}, ...loads.map(({ statuses }) => statuses)) as Record<string, number>,
  };
}

async function freshEndpoint({ credentials }: BenchContext): Promise<{ url: string; secret: string }> {
  const { api, tenant } = await freshTenant(credentials, 'bench');
  return api.post(`${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`, {
    connectorId: 'bench',
  });
}

function assertOnly({ statuses }: Load, status: string) {
  if (Object.keys(statuses).some(found => found !== status)) throw new Error(`answered ${JSON.stringify(statuses)}`);
}

const floorIs = 'bare express + HMAC + one kafkajs send (acks -1) per request, no store';

export const ingressAcceptance: Bench = {
  name: 'ingress: accepted first deliveries',
  unit: 'deliveries/s',
  floorIs,
  wanted: 1,
  async run(context: BenchContext) {
    const { system } = context;
    const { url, secret } = await freshEndpoint(context);
    const send = (seconds: number) => webhookLoad(url, secret, { ...load, seconds });
    const { warm, floor, ours, details } = await compare(context, send);
    let ids = warm.sent + ours.sent;
    while (ids < idsForMemory) ids += (await send(10)).sent;
    const memoryMb = memoryOf(system.pidOf('webhook-ingress'));
    system.resume('audit');
    const beside = await send(load.seconds);
    for (const one of [warm, floor, ours, beside]) assertOnly(one, '202');
    const others = { memoryMb, ids, withAuditAtWork: Math.round(beside.perSecond) };
    return { ours: ours.perSecond, floor: floor.perSecond, details: { ...details, ...others } };
  },
};

export const ingressDuplicates: Bench = {
  name: 'ingress: duplicates',
  unit: 'deliveries/s',
  floorIs,
  wanted: 1.5,
  async run(context: BenchContext) {
    const { system } = context;
    const { url, secret } = await freshEndpoint(context);
    const ids = Array.from({ length: 2_000 }, () => `msg_${randomUUID()}`);
    const send = (seconds: number) => webhookLoad(url, secret, { ...load, seconds, ids });
    for (const id of ids) await webhookLoad(url, secret, { connections: 1, seconds: 0.001, ids: [id] });
    const { floor, ours, details } = await compare(context, send);
    system.resume('audit');
    assertOnly(ours, '200');
    return { ours: ours.perSecond, floor: floor.perSecond, details };
  },
};
