// What a tenant's HTTP receiver may do to the process that delivers to it: nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deliverInProcess } from './delivering-process.test-support.ts';
import {
  type Certificate,
  certificateOfThisMachine,
  createPeers,
  flood,
  megabyte,
  type Peer,
  startPeer,
  startTlsPeer,
} from './peers.test-support.ts';

let certificate: Certificate;
let directory: string;
const { start, stop } = createPeers();
beforeAll(async () => {
  certificate = await certificateOfThisMachine();
  directory = mkdtempSync(join(tmpdir(), 'reeve-http-'));
  writeFileSync(join(directory, 'ca.pem'), certificate.cert);
});
afterAll(async () => {
  await stop();
  rmSync(directory, { recursive: true });
});

/** Answers when the request begins to come, whether it is there or not. */
const answering = (act: (socket: Socket) => void) =>
  start(startPeer(socket => socket.once('data', () => act(socket)).on('data', noop)));

const noop = () => undefined;
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const targetsAt = (url: string) => ({
  https: { target: { kind: 'https', url, format: 'ndjson' }, credential: secret },
  splunk: { target: { kind: 'splunk_hec', url }, credential: 'token' },
  unacknowledged: { target: { kind: 'splunk_hec', url, acknowledge: false }, credential: 'token' },
  elasticsearch: { target: { kind: 'elasticsearch', url, dataStream: 'logs' }, credential: 'key' },
  s3: { target: { kind: 's3', url, bucket: 'logs' }, credential: 'id:secret' },
});
type Name = keyof ReturnType<typeof targetsAt>;

function deliver(given: readonly { peer: Peer; to?: Name }[], scheme = 'http') {
  const origin = ({ port }: Peer) => `${scheme}://127.0.0.1:${port}`;
  return deliverInProcess({
    targets: given.map(({ peer, to = 'https' }) => targetsAt(origin(peer))[to]),
    allowedPrivateOrigins: given.map(({ peer }) => origin(peer)),
    environment: { NODE_EXTRA_CA_CERTS: join(directory, 'ca.pem') },
  });
}

const json = (body: string) => answer(200, body, 'content-type: application/json\r\n');
const created = (count: number) =>
  JSON.stringify({
    errors: false,
    items: Array.from({ length: count }, () => ({ create: { _id: 'x', status: 201 } })),
  });
const answer =
  (status: number, body: string | Buffer, headers = '') =>
  (socket: Socket) => {
    socket.write(`HTTP/1.1 ${status} It\r\ncontent-length: ${Buffer.byteLength(body)}\r\n${headers}\r\n`);
    socket.write(body);
  };
const honest = answer(200, '{}');

const chunk = Buffer.concat([Buffer.from('f4240\r\n'), megabyte, Buffer.from('\r\n')]);
const drip = (head: string) => (socket: Socket) => {
  socket.write(head);
  const timer = setInterval(() => socket.write('x'), 200);
  socket.on('close', () => clearInterval(timer));
};

const gigabyte = Buffer.alloc(1_000_000_000);
const bombs = {
  gzip: () => gzipSync(gigabyte),
  'gzip, gzip': () => gzipSync(gzipSync(gigabyte)),
  br: () => brotliCompressSync(gigabyte.subarray(0, 100_000_000)),
  zstd: () => zstdCompressSync(gigabyte),
};
const bomb = (encoding: keyof typeof bombs) => answer(200, bombs[encoding](), `content-encoding: ${encoding}\r\n`);
const layers = Array.from({ length: 2_000 }, () => 'gzip').join(', ');
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

const lies: [what: string, act: (socket: Socket) => void, code: string][] = [
  ['answers two gigabytes', flood('HTTP/1.1 200 OK\r\ncontent-length: 2000000000\r\n\r\n'), 'refused'],
  ['answers in chunks without end', flood('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', chunk), 'refused'],
  ['answers until the connection ends, without end', flood('HTTP/1.1 200 OK\r\n\r\n'), 'refused'],
  ['answers two gigabytes of refusal', flood('HTTP/1.1 500 No\r\ncontent-length: 2000000000\r\n\r\n'), 'refused'],
  ['sends headers without end', flood('HTTP/1.1 200 OK\r\n', Buffer.from('x: y\r\n'.repeat(10_000))), 'unreachable'],
  ['sends one header without end', flood('HTTP/1.1 200 OK\r\nx: ', Buffer.alloc(100_000, 0x79)), 'unreachable'],
  ['sends a status line without end', flood('HTTP/1.1 200 ', Buffer.alloc(100_000, 0x79)), 'refused'],
  ['sends 103 without end', flood('', Buffer.from('HTTP/1.1 103 Wait\r\n\r\n'.repeat(1_000))), 'refused'],
  ['sends 100 without end', flood('', Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'.repeat(1_000))), 'unreachable'],
  ['sends a header a letter at a time', drip('HTTP/1.1 200 OK\r\nx: '), 'unreachable'],
  ['sends a body a letter at a time', drip('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n'), 'unreachable'],
  [
    'sends trailers without end',
    flood('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n', Buffer.from('x: y\r\n'.repeat(10_000))),
    'unreachable',
  ],
  ['switches protocols', answer(101, '', 'connection: upgrade\r\nupgrade: x\r\n'), 'unreachable'],
  ['answers a status that there is not', answer(999, ''), 'unreachable'],
  ['says two lengths', answer(200, '{}', 'content-length: 9\r\n'), 'unreachable'],
  ['speaks another protocol', socket => socket.write(Buffer.alloc(100_000)), 'unreachable'],
  ['closes at once', socket => socket.end(), 'unreachable'],
  ['resets the connection', socket => socket.resetAndDestroy(), 'unreachable'],
  ['says nothing', () => undefined, 'unreachable'],
  ['names two thousand encodings', answer(200, '{}', `content-encoding: ${layers}\r\n`), 'unreachable'],
  ['says gzip, and sends none', answer(200, 'nonsense', 'content-encoding: gzip\r\n'), 'unreachable'],
];

describe('an HTTP receiver', () => {
  test.concurrent('that does as it should is delivered to', async () => {
    const peer = await answering(honest);
    expect(await deliver([{ peer }, { peer: await answering(honest), to: 's3' }])).toMatchObject({
      outcomes: [{ code: 'delivered' }, { code: 'delivered' }],
    });
  });

  test.concurrent.each(lies)(
    'that %s fails its own delivery, and no other',
    async (_, act, code) => {
      const { outcomes, mostMegabytes } = await deliver([
        { peer: await answering(act) },
        { peer: await answering(honest) },
      ]);
      expect(outcomes).toMatchObject([{ code }, { code: 'delivered' }]);
      expect(outcomes[0]?.tookMs).toBeLessThan(7_000);
      expect(mostMegabytes).toBeLessThan(250);
    },
    60_000,
  );

  test.each(Object.keys(bombs) as (keyof typeof bombs)[])(
    'that sends a bomb of %s is not unpacked',
    async encoding => {
      const { outcomes, mostMegabytes } = await deliver([{ peer: await answering(bomb(encoding)) }]);
      expect(outcomes).toMatchObject([{ code: 'refused' }]);
      expect(outcomes[0]?.tookMs).toBeLessThan(3_000);
      expect(mostMegabytes).toBeLessThan(250);
    },
    60_000,
  );

  test.concurrent.each<[what: string, to: Name, act: (socket: Socket) => void]>([
    ['nests its answer', 'splunk', json(deep(250_000))],
    ['nests its answer', 'elasticsearch', json(deep(250_000))],
    ['answers what nobody asked', 'splunk', json('{"code":0,"ackId":"1","__proto__":{"ackId":1}}')],
    ['answers no number', 'splunk', json('{"code":1e999,"ackId":1}')],
    ['answers for documents that it was not sent', 'elasticsearch', json(created(3))],
    ['answers for none', 'elasticsearch', json('{"errors":false,"items":[]}')],
    ['answers for one twice', 'elasticsearch', json('{"errors":false,"items":[{"create":{"_id":"evt_1"}}]}')],
  ])('that %s, as no %s does, fails its own delivery', async (_, to, act) => {
    const { outcomes } = await deliver([{ peer: await answering(act), to }, { peer: await answering(honest) }]);
    expect(outcomes).toMatchObject([{ code: 'protocol' }, { code: 'delivered' }]);
  });

  test.concurrent('has no word of its own in what is said of a document that it refuses', async () => {
    const refusing = (id: string, type: string) =>
      json(JSON.stringify({ errors: true, items: [{ create: { _id: id, status: 400, error: { type } } }] }));
    const long = 'x'.repeat(200_000);
    const given = [
      refusing('evt_1', 'document_parsing_exception'),
      refusing(long, long),
      refusing('evt_2', '<script>'),
    ];
    const peers = await Promise.all(given.map(answering));
    const { outcomes } = await deliver(peers.map(peer => ({ peer, to: 'elasticsearch' as const })));
    expect(outcomes.map(({ code, refused }) => [code, refused])).toEqual([
      ['delivered', [{ id: 'evt_1', reason: '400 document_parsing_exception' }]],
      ['delivered', [{ id: 'evt_1', reason: '400' }]],
      ['delivered', [{ id: 'evt_1', reason: '400' }]],
    ]);
  });

  test.concurrent('that sends us elsewhere is not followed', async () => {
    const trap = await answering(honest);
    const places = [`http://127.0.0.1:${trap.port}/`, 'http://169.254.169.254/', 'file:///etc/passwd', '//[::1]/', ''];
    const redirects = [301, 302, 303, 307, 308].flatMap(status =>
      places.map(place => answer(status, '', `location: ${place}\r\nrefresh: 0; url=${place}\r\n`)),
    );
    const peers = await Promise.all(redirects.map(answering));
    const { outcomes } = await deliver(peers.map(peer => ({ peer })));
    expect(new Set(outcomes.map(({ code }) => code))).toEqual(new Set(['refused']));
    expect(trap.connections()).toBe(0);
  });

  describe('with TLS', () => {
    const secured = (act: (socket: Socket) => void, options: TlsOptions = {}) =>
      start(startTlsPeer(certificate, socket => socket.once('data', () => act(socket)).on('data', noop), options));
    const http2 = (socket: Socket) => socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));

    test.concurrent('that does as it should is delivered to, one that speaks HTTP/2 alone is not', async () => {
      const both = await secured(honest, { ALPNProtocols: ['h2', 'http/1.1'] });
      const { outcomes } = await deliver(
        [{ peer: await secured(http2, { ALPNProtocols: ['h2'] }) }, { peer: both }],
        'https',
      );
      expect(outcomes).toMatchObject([{ code: 'unreachable' }, { code: 'delivered' }]);
    });

    test.concurrent('that asks for one handshake after the other is not followed', async () => {
      let handshakes = 0;
      const again = (socket: TLSSocket): void => {
        socket.renegotiate({}, error => {
          if (error || socket.destroyed) return;
          handshakes += 1;
          again(socket);
        });
      };
      const peer = await start(startTlsPeer(certificate, again, { maxVersion: 'TLSv1.2' }));
      const older = await secured(honest, { maxVersion: 'TLSv1.2' });
      const { outcomes } = await deliver([{ peer }, { peer: older }], 'https');
      expect(outcomes).toMatchObject([{ code: 'unreachable' }, { code: 'delivered' }]);
      expect(handshakes).toBe(0);
    });

    test.concurrent('that talks without end is cut off', async () => {
      const peer = await secured(flood('', Buffer.from('HTTP/1.1 103 Wait\r\n\r\n'.repeat(1_000))));
      const { outcomes } = await deliver([{ peer }], 'https');
      expect(outcomes).toMatchObject([{ code: 'refused' }]);
      expect(outcomes[0]?.tookMs).toBeLessThan(7_000);
    });
  });
});
