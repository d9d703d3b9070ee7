// What a tenant's syslog receiver may do to the process that delivers to it: nothing.
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deliverInProcess } from './delivering-process.test-support.ts';
import {
  type Certificate,
  certificateOfThisMachine,
  createPeers,
  flood,
  startResettingPeer,
  startTlsPeer,
} from './peers.test-support.ts';

let certificate: Certificate;
const { start, stop } = createPeers();
beforeAll(async () => {
  certificate = await certificateOfThisMachine();
});
afterAll(stop);
const receiver = (act: (socket: TLSSocket) => void) => start(startTlsPeer(certificate, act));

const deliver = (targets: readonly { port: number }[], stayMs = 1_000) =>
  deliverInProcess({
    targets: targets.map(({ port }) => ({
      target: { kind: 'syslog_tls', host: '127.0.0.1', port, ca: certificate.cert },
    })),
    allowedPrivateOrigins: targets.map(({ port }) => `tls://127.0.0.1:${port}`),
    stayMs,
  });

/** Reads to the end, and then closes. */
function honest(socket: TLSSocket): void {
  socket.resume();
  socket.on('end', () => socket.end());
}

const lies: [what: string, act: (socket: TLSSocket) => void, code: string][] = [
  ['reads nothing and says nothing', socket => socket.pause(), 'unreachable'],
  ['reads, and never closes', socket => socket.resume(), 'unreachable'],
  ['talks without end', flood(), 'protocol'],
];

describe('a syslog receiver', () => {
  test.concurrent('that does as it should is delivered to', async () => {
    expect(await deliver([await receiver(honest)])).toMatchObject({ outcomes: [{ code: 'delivered' }] });
  });

  test.concurrent.each(lies)(
    'that %s fails its own delivery, and no other',
    async (_, act, code) => {
      const { outcomes, mostMegabytes } = await deliver([await receiver(act), await receiver(honest)], 2_000);
      expect(outcomes).toMatchObject([{ code }, { code: 'delivered' }]);
      expect(mostMegabytes).toBeLessThan(200);
    },
    60_000,
  );

  test.concurrent('that resets the connection later, or when nobody waits, fails its own delivery', async () => {
    const silent = await receiver(socket => socket.resume());
    const times = [50, 500, 20_500, 21_000];
    const resetting = await Promise.all(times.map(afterMs => start(startResettingPeer(silent, { afterMs }))));
    const { outcomes } = await deliver(resetting, 3_000);
    expect(outcomes.map(({ code }) => code)).toEqual(times.map(() => 'unreachable'));
  }, 60_000);

  test.concurrent('that resets the connection anywhere in the handshake is not reached', async () => {
    const far = await receiver(honest);
    const steps = [0, 1, 2, 5, 6, 20, 50, 100, 200, 500, 1_000, 1_200, 1_500];
    const resetting = await Promise.all(
      steps.map(bytes => start(startResettingPeer(far, { afterBytes: bytes, afterMs: 2_000 }))),
    );
    const { outcomes } = await deliver([...resetting, far]);
    expect(outcomes.map(({ code }) => code)).toEqual([...steps.map(() => 'unreachable'), 'delivered']);
  }, 60_000);

  test.concurrent('that asks for one handshake after the other is not followed', async () => {
    let handshakes = 0;
    const again = (socket: TLSSocket): void => {
      socket.renegotiate({}, error => {
        if (error || socket.destroyed) return;
        handshakes += 1;
        again(socket);
      });
    };
    const older = (act: (socket: TLSSocket) => void) =>
      start(startTlsPeer(certificate, act, { maxVersion: 'TLSv1.2' }));
    const { outcomes } = await deliver([await older(again), await older(honest)]);
    expect(outcomes).toMatchObject([{ code: 'unreachable' }, { code: 'delivered' }]);
    expect(handshakes).toBe(0);
  });

  test.concurrent.each([
    ['nonsense', 'nonsense'],
    ['a certificate cut off', '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'],
    ['bytes that are no text', '\u0000\ud800'],
  ])('whose authority is %s is not delivered to', async (_, ca) => {
    const { port } = await receiver(honest);
    const { outcomes } = await deliverInProcess({
      targets: [
        { target: { kind: 'syslog_tls', host: '127.0.0.1', port, ca } },
        { target: { kind: 'kafka', brokers: [`127.0.0.1:${port}`], topic: 't', ca } },
      ],
      allowedPrivateOrigins: [`tls://127.0.0.1:${port}`],
    });
    for (const { code } of outcomes) expect(['unauthorized', 'unreachable']).toContain(code);
  });
});
