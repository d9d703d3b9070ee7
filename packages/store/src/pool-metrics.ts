// How the driver's connections are used: a pool that is too small shows as requests that wait for one. Names are those
// of OpenTelemetry's conventions for clients of databases.
import { metrics } from '@opentelemetry/api';
import type { MongoClient } from 'mongodb';

const meter = metrics.getMeter('@reeve/store');
const waits = meter.createHistogram('db.client.connection.wait_time', {
  unit: 's',
  description: 'Until an operation on MongoDB had a connection',
  advice: { explicitBucketBoundaries: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5] },
});
const timeouts = meter.createCounter('db.client.connection.timeouts', {
  description: 'Operations on MongoDB that got no connection',
});
const connections = meter.createUpDownCounter('db.client.connection.count', {
  description: 'Connections to MongoDB, in use and idle',
});

const idle = { 'db.client.connection.state': 'idle' };
const used = { 'db.client.connection.state': 'used' };

export function measurePool(client: MongoClient): void {
  const inUse = new Set<string>();
  const keyOf = ({ address, connectionId }: { address: string; connectionId: unknown }) =>
    `${address} ${String(connectionId)}`;
  client
    .on('connectionCreated', () => connections.add(1, idle))
    .on('connectionClosed', event => connections.add(-1, inUse.delete(keyOf(event)) ? used : idle))
    .on('connectionCheckedOut', event => {
      inUse.add(keyOf(event));
      waits.record(event.durationMS / 1_000);
      connections.add(-1, idle);
      connections.add(1, used);
    })
    .on('connectionCheckedIn', event => {
      // One that was closed while it was in use comes back all the same.
      if (!inUse.delete(keyOf(event))) return;
      connections.add(-1, used);
      connections.add(1, idle);
    })
    .on('connectionCheckOutFailed', () => timeouts.add(1));
}
