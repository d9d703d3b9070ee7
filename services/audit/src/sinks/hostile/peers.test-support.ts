// Peers that do to a sink's connection what they should not, for tests: real sockets on this machine.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import { generate } from 'selfsigned';

export type Certificate = { key: string; cert: string };

export type Peer = { port: number; connections: () => number; stop: () => Promise<void> };

export async function certificateOfThisMachine(): Promise<Certificate> {
  const made = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { key: made.private, cert: made.cert };
}

async function listening(server: Server): Promise<Peer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', socket => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Does what is given to each connection. */
export const startPeer = (act: (socket: Socket) => void): Promise<Peer> =>
  listening(createServer({ allowHalfOpen: true }, act));

/** Does what is given to each connection, once TLS is there; closes its half of it only on request. */
export function startTlsPeer(
  certificate: Certificate,
  act: (socket: TLSSocket) => void,
  options: TlsOptions = {},
): Promise<Peer> {
  const server = createTlsServer({ allowHalfOpen: true, ...certificate, ...options }, socket => {
    socket.on('error', () => undefined);
    act(socket);
  });
  server.on('tlsClientError', () => undefined);
  return listening(server);
}

/** Passes on what `peer` says, and resets the connection after so many bytes of it, or so many milliseconds. */
export function startResettingPeer(
  peer: Peer,
  { afterBytes = Number.POSITIVE_INFINITY, afterMs }: { afterBytes?: number; afterMs?: number },
): Promise<Peer> {
  return listening(
    createServer({ allowHalfOpen: true }, near => {
      const far = connect({ port: peer.port, host: '127.0.0.1', allowHalfOpen: true });
      let left = afterBytes;
      const reset = () => {
        near.resetAndDestroy();
        far.destroy();
      };
      far.on('error', () => near.destroy());
      near.on('close', () => far.destroy());
      near.pipe(far);
      far.on('data', (bytes: Buffer) => {
        near.write(bytes.subarray(0, left), left < bytes.length ? reset : undefined);
        left -= Math.min(left, bytes.length);
      });
      if (afterMs !== undefined) setTimeout(reset, afterMs);
    }),
  );
}

/** The peers of one test file: each that is started is stopped with the others. */
export function createPeers() {
  const started: Peer[] = [];
  return {
    async start(starting: Promise<Peer>): Promise<Peer> {
      const peer = await starting;
      started.push(peer);
      return peer;
    },
    async stop(): Promise<void> {
      for (const peer of started) await peer.stop();
    },
  };
}

export const megabyte = Buffer.alloc(1_000_000, 0x20);

/** Says the same without end, after what begins it. */
export const flood =
  (head = '', bytes = megabyte) =>
  (socket: Socket): void => {
    const more = (error?: Error | null) => void (error || socket.write(bytes, more));
    socket.write(head);
    more();
  };

const int16 = (value: number) => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};
export const int32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const string = (text: string) => Buffer.concat([int16(text.length), Buffer.from(text)]);

type Broker = { id: number; host: string; port: number };

/** Kafka's metadata (version 0): brokers, and one partition of the topic, which the first of them leads. */
export const metadata = (topic: string, brokers: readonly Broker[]): Buffer =>
  Buffer.concat([
    int32(brokers.length),
    ...brokers.flatMap(({ id, host, port }) => [int32(id), string(host), int32(port)]),
    int32(1),
    Buffer.concat([int16(0), string(topic)]),
    int32(1),
    Buffer.concat([int16(0), int32(0), int32(brokers[0]?.id ?? 0), int32(0), int32(0)]),
  ]);

/** Metadata of no brokers and of arrays in arrays, each of which says that it has 33 million elements. */
export function hollowMetadata(): Buffer {
  const many = int32(33_554_431);
  return Buffer.concat([int32(0), many, int16(0), string('t'), many, int16(0), int32(0), int32(0), many, int32(1)]);
}

const [produceKey, metadataKey, apiVersionsKey] = [0, 3, 18];

/**
 * Says as a broker does which requests it knows, takes what is produced, and answers with what is given as metadata.
 */
export const asBroker = (topic: string, answer: () => Buffer) => (socket: TLSSocket) => {
  const versions = [produceKey, metadataKey, apiVersionsKey].flatMap(key => [int16(key), int16(0), int16(0)]);
  const taken = [int32(1), string(topic), int32(1), int32(0), int16(0), Buffer.alloc(8)];
  const answerTo = (key: number, version: number) => {
    if (key === apiVersionsKey && version > 0) return [int16(35), int32(0), int32(0)];
    if (key === apiVersionsKey) return [int16(0), int32(3), ...versions];
    return key === produceKey ? taken : [answer()];
  };
  socket.on('data', (request: Buffer) => {
    const body = Buffer.concat(answerTo(request.readInt16BE(4), request.readInt16BE(6)));
    socket.write(Buffer.concat([int32(4 + body.length), request.subarray(8, 12), body]));
  });
};
