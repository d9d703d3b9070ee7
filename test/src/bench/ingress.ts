// Webhook acceptance against its floor: 64 connections, 1 kB bodies, distinct ids.
import { join } from 'node:path';
import { repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { newStandardSecret } from '@reeve/webhook-signatures';
import { freshTenant } from '../support/running-system.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { webhookLoad } from './load.ts';

const load = { connections: 64, seconds: 8 };
const warmUp = { connections: 64, seconds: 3 };

export const ingressAcceptance: Bench = {
  name: 'ingress: accepted first deliveries',
  unit: 'deliveries/s',
  floorIs: 'bare express + HMAC + insertOne + one kafkajs send (acks -1) per request',
  async run({ credentials, startProcess, createTopic }: BenchContext) {
    const topic = await createTopic('bench.floor.payloads', 3);
    const secret = newStandardSecret();
    const { audit: port } = await freePorts();
    const floorServer = await startProcess(
      'floor-ingress',
      join(repositoryRoot, 'test/src/bench/floor-ingress.ts'),
      { PORT: String(port), SECRET: secret, TOPIC: topic },
      port,
    );
    const floorUrl = `http://localhost:${port}/hook`;
    await webhookLoad(floorUrl, secret, warmUp);
    const floor = await webhookLoad(floorUrl, secret, load);
    await floorServer.stop();

    const { api, tenant } = await freshTenant(credentials, 'bench');
    const endpoint = await api.post<{ url: string; secret: string }>(
      `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`,
      { connectorId: 'bench' },
    );
    await webhookLoad(endpoint.url, endpoint.secret, warmUp);
    const ours = await webhookLoad(endpoint.url, endpoint.secret, load);
    for (const [who, { statuses }] of Object.entries({ floor, ours })) {
      const others = Object.keys(statuses).filter(status => status !== '202');
      if (others.length > 0) throw new Error(`${who} answered ${JSON.stringify(statuses)}`);
    }
    return {
      ours: ours.perSecond,
      floor: floor.perSecond,
      details: { p99Ms: Math.round(ours.p99Ms), floorP99Ms: Math.round(floor.p99Ms) },
    };
  },
};
