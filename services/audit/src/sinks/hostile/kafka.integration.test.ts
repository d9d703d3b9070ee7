// What a tenant's Kafka cluster may do to the process that delivers to it: nothing.
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deliverInProcess } from './delivering-process.test-support.ts';
import {
  asBroker,
  type Certificate,
  certificateOfThisMachine,
  createPeers,
  flood,
  hollowMetadata,
  int32,
  metadata,
  type Peer,
  startResettingPeer,
  startTlsPeer,
} from './peers.test-support.ts';

const topic = 'their.audit';
let certificate: Certificate;
const { start, stop } = createPeers();
beforeAll(async () => {
  certificate = await certificateOfThisMachine();
});
afterAll(stop);
const cluster = (act: (socket: TLSSocket) => void) => start(startTlsPeer(certificate, act));

/** Leads its topic itself. */
async function honestCluster(): Promise<Peer> {
  const peer: Peer = await cluster(
    asBroker(topic, () => metadata(topic, [{ id: 1, host: '127.0.0.1', port: peer.port }])),
  );
  return peer;
}

const to = ({ port }: Peer) => ({
  target: { kind: 'kafka', brokers: [`127.0.0.1:${port}`], topic, ca: certificate.cert },
});
const originOf = ({ port }: Peer) => `tls://127.0.0.1:${port}`;
const deliver = (targets: readonly Peer[], allowed = targets) =>
  deliverInProcess({ targets: targets.map(to), allowedPrivateOrigins: allowed.map(originOf) });

function everySecond(act: (socket: TLSSocket) => void) {
  return (socket: TLSSocket) => {
    const timer = setInterval(() => act(socket), 1_000);
    socket.on('close', () => clearInterval(timer));
  };
}

const manyBrokers = (count: number) => Array.from({ length: count }, (_, id) => ({ id, host: '', port: 9_092 }));

const lies: [what: string, act: (socket: TLSSocket) => void, code: string][] = [
  ['answers four zero bytes', socket => socket.write(Buffer.alloc(4)), 'protocol'],
  ['announces two gigabytes', socket => socket.write(int32(2_147_483_647)), 'unreachable'],
  ['announces less than nothing', socket => socket.write(int32(-1)), 'protocol'],
  ['announces half a gigabyte and sends it', flood(), 'protocol'],
  ['cuts a frame off', socket => socket.end(Buffer.concat([int32(100), Buffer.alloc(10)])), 'unreachable'],
  ['answers in another protocol', socket => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'), 'unreachable'],
  ['answers a frame of zeros', socket => socket.write(Buffer.concat([int32(64), Buffer.alloc(64)])), 'unreachable'],
  ['says nothing', () => undefined, 'unreachable'],
  ['answers a byte a second', everySecond(socket => socket.write(Buffer.from([0]))), 'protocol'],
  ['closes at once', socket => socket.end(), 'unreachable'],
  ['names no broker', asBroker(topic, () => metadata(topic, [])), 'unreachable'],
  ['names a million brokers', asBroker(topic, () => metadata(topic, manyBrokers(1_000_000))), 'protocol'],
  ['names as many brokers as it may', asBroker(topic, () => metadata(topic, manyBrokers(80_000))), 'protocol'],
  ['says that it has more than fits into memory', asBroker(topic, hollowMetadata), 'protocol'],
];

describe('a Kafka cluster', () => {
  test.concurrent('that does as it should is delivered to', async () => {
    const { outcomes, reported } = await deliver([await honestCluster()]);
    expect(outcomes).toEqual([expect.objectContaining({ code: 'delivered' })]);
    expect(reported).toEqual([]);
  });

  test.concurrent.each(lies)(
    'that %s fails its own delivery, and no other',
    async (_, act, code) => {
      const hostile = await cluster(act);
      const { outcomes, mostMegabytes } = await deliver([hostile, await honestCluster()]);
      expect(outcomes).toMatchObject([{ code }, { code: 'delivered' }]);
      expect(outcomes[0]?.tookMs).toBeLessThan(35_000);
      expect(mostMegabytes).toBeLessThan(300);
    },
    60_000,
  );

  test.concurrent('that resets the connection anywhere in the handshake is not reached', async () => {
    const far = await honestCluster();
    const steps = [0, 1, 5, 50, 200, 500, 1_000, 1_500];
    const resetting = await Promise.all(
      steps.map(bytes => start(startResettingPeer(far, { afterBytes: bytes, afterMs: 2_000 }))),
    );
    const { outcomes, reported } = await deliver(resetting);
    expect(outcomes.map(({ code }) => code)).toEqual(steps.map(() => 'unreachable'));
    expect(reported).toEqual([]);
  }, 60_000);

  test.concurrent('that names brokers inside the network has nobody connect to them', async () => {
    const trap = await honestCluster();
    const naming = (host: string) =>
      cluster(asBroker(topic, () => metadata(topic, [{ id: 1, host, port: trap.port }])));
    const hosts = ['127.0.0.1', 'localhost', '::1', '::7f00:1', '10.0.0.1', '169.254.169.254'];
    const hostile = await Promise.all(hosts.map(naming));
    const { outcomes } = await deliver(hostile);
    expect(outcomes.map(({ code }) => code)).toEqual(hosts.map(() => 'refused'));
    expect(trap.connections()).toBe(0);
    const [control] = (await deliver(hostile.slice(0, 1), [trap, ...hostile])).outcomes;
    expect(control).toMatchObject({ code: 'delivered' });
    expect(trap.connections()).toBe(1);
  }, 60_000);
});
