// Webhook ingress against its floor: 64 connections, 1 kB bodies. The floor has no audit service beside it on the same cores, so ours pauses while
// the ingress is measured, and is measured once more with it.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { newSecret } from '@reeve/webhook-signatures';
import { freshTenant } from '../support/running-system.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { type Load, webhookLoad } from './load.ts';

const load = { connections: 64, seconds: 12 };
const warmUp = { connections: 64, seconds: 8 };
/** `REEVE_BENCH_IDS=1000000` sends that many distinct ids before it looks at the memory. */
const idsForMemory = Number(process.env['REEVE_BENCH_IDS'] ?? 0);

let floorMeasured: Promise<Load> | undefined;

function floorOf(context: BenchContext): Promise<Load> {
  floorMeasured ??= measureFloor(context);
  return floorMeasured;
}

async function measureFloor({ startProcess, createTopic }: BenchContext): Promise<Load> {
  const topic = await createTopic('bench.floor.payloads', 3);
  const secret = newSecret('standard', null) ?? '';
  const { audit: port } = await freePorts();
  const file = join(repositoryRoot, 'test/src/bench/floor-ingress.ts');
  const server = await startProcess('floor-ingress', file, { PORT: String(port), SECRET: secret, TOPIC: topic }, port);
  const url = `http://localhost:${port}/hook`;
  await webhookLoad(url, secret, warmUp);
  const floor = await webhookLoad(url, secret, load);
  await server.stop();
  assertOnly(floor, '202');
  return floor;
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

/** Resident memory of a process in MB. */
function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}

const floorIs = 'bare express + HMAC + one kafkajs send (acks -1) per request, no store';
const figures = (load: Load, floor: Load) => ({ p99Ms: Math.round(load.p99Ms), floorP99Ms: Math.round(floor.p99Ms) });

export const ingressAcceptance: Bench = {
  name: 'ingress: accepted first deliveries',
  unit: 'deliveries/s',
  floorIs,
  async run(context: BenchContext) {
    const floor = await floorOf(context);
    const { system } = context;
    const endpoint = await freshEndpoint(context);
    system.pause('audit');
    const warm = await webhookLoad(endpoint.url, endpoint.secret, warmUp);
    const ours = await webhookLoad(endpoint.url, endpoint.secret, load);
    let ids = warm.sent + ours.sent;
    while (ids < idsForMemory) ids += (await webhookLoad(endpoint.url, endpoint.secret, load)).sent;
    const memoryMb = memoryOf(system.pidOf('webhook-ingress'));
    system.resume('audit');
    const beside = await webhookLoad(endpoint.url, endpoint.secret, load);
    for (const one of [warm, ours, beside]) assertOnly(one, '202');
    const withAuditAtWork = Math.round(beside.perSecond);
    const details = { ...figures(ours, floor), memoryMb, ids, withAuditAtWork };
    return { ours: ours.perSecond, floor: floor.perSecond, details };
  },
};

export const ingressDuplicates: Bench = {
  name: 'ingress: duplicates',
  unit: 'deliveries/s',
  floorIs,
  async run(context: BenchContext) {
    const floor = await floorOf(context);
    const { system } = context;
    const endpoint = await freshEndpoint(context);
    system.pause('audit');
    const ids = Array.from({ length: 2_000 }, () => `msg_${randomUUID()}`);
    for (const id of ids)
      await webhookLoad(endpoint.url, endpoint.secret, { connections: 1, seconds: 0.001, ids: [id] });
    await webhookLoad(endpoint.url, endpoint.secret, { ...warmUp, ids });
    const ours = await webhookLoad(endpoint.url, endpoint.secret, { ...load, ids });
    system.resume('audit');
    assertOnly(ours, '200');
    return { ours: ours.perSecond, floor: floor.perSecond, details: figures(ours, floor) };
  },
};
