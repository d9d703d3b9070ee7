// How brokers are reached: plainly, by TLS, with SASL. The sockets are made here, so that what may not be sent any
// more is not sent.
import { connect as connectPlain, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type ISocketFactory, Kafka, logLevel, type SASLOptions } from 'kafkajs';
import { kafkaLog, type Log } from './kafka-log.ts';
import { oauthBearer } from './oauth-bearer.ts';

export type Tls = {
  /** PEM of the authorities to trust instead of the public ones. */
  ca?: string;
  /** PEM of a client's certificate and its key, where the brokers want one. */
  cert?: string;
  key?: string;
};

export type Sasl =
  | { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string }
  /** `token` is asked for each connection. */
  | { mechanism: 'oauthbearer'; token: () => Promise<string> };

export type ConnectionOptions = {
  brokers: string[];
  clientId: string;
  tls?: Tls | null;
  sasl?: Sasl | null;
  log?: Log;
};

export type Connection = {
  kafka: Kafka;
  /**
   * From that moment on (milliseconds since the epoch) nothing is sent: a socket that is asked to send something ends
   * instead.
   */
  sendUntil: (moment: number) => void;
  /** Ends the sockets on which brokers are asked for messages; kafkajs asks for everything else on others. */
  endFetches: () => void;
  /** Ends every socket at once, with what waits in it to be sent, and lets no other be made. */
  cut: () => void;
};

export type Connect = () => Connection;

const keepAliveMs = 60_000;

/** The length of a request comes first, then which one it is: https://kafka.apache.org/protocol#protocol_messages. */
const apiKeyAt = 4;
const fetchApiKey = 1;
const isFetch = (request: unknown): boolean =>
  Buffer.isBuffer(request) && request.length > apiKeyAt + 1 && request.readInt16BE(apiKeyAt) === fetchApiKey;

function openSocket({ host, port }: { host: string; port: number }, tls: Tls | null, onConnect: () => void) {
  if (!tls) {
    const tcp = connectPlain({ host, port }, onConnect);
    return { tcp, socket: tcp };
  }
  const tcp = connectPlain({ host, port });
  // Its error is that of the other as well.
  tcp.on('error', () => undefined);
  // RFC 6066 §3: no address as the name of a server.
  const servername = isIP(host) ? {} : { servername: host };
  return { tcp, socket: connectTls({ socket: tcp, host, ...servername, ...tls }, onConnect) };
}

/** Each call makes sockets of its own; what kafkajs says on any of them goes to one log. */
export function createConnect(options: ConnectionOptions): Connect {
  const { brokers, clientId, tls = null, sasl = null, log = () => undefined } = options;
  const say = kafkaLog(log);

  return function connect() {
    const open = new Set<() => void>();
    const fetching = new Set<() => void>();
    let sendUntil = Infinity;
    let fetchesEnded = false;
    const maySend = () => Date.now() < sendUntil;

    const socketFactory: ISocketFactory = ({ host, port, onConnect }) => {
      if (!maySend()) throw new Error('nothing is sent on this connection any more');
      const { tcp, socket } = openSocket({ host, port }, tls, onConnect);
      tcp.setKeepAlive(true, keepAliveMs);
      tcp.setNoDelay(true);

      /**
       * By a reset: after an orderly end the kernel would go on sending what it has, for minutes where the network is
       * away.
       */
      function abort() {
        forget();
        if (socket.writableEnded || tcp.connecting) tcp.destroy();
        else tcp.resetAndDestroy();
        process.nextTick(() => socket.emit('error', new Error('nothing is sent on this connection any more')));
      }
      function forget() {
        open.delete(abort);
        fetching.delete(abort);
      }
      open.add(abort);
      tcp.once('close', forget);

      const write = socket.write.bind(socket) as (...given: unknown[]) => boolean;
      socket.write = (...given: unknown[]) => {
        const fetches = isFetch(given[0]);
        if (!maySend() || (fetches && fetchesEnded)) {
          abort();
          return false;
        }
        if (fetches) fetching.add(abort);
        return write(...given);
      };
      return socket;
    };

    return {
      kafka: new Kafka({
        brokers,
        clientId,
        ...(sasl ? { sasl: sasl.mechanism === 'oauthbearer' ? oauthBearer(sasl.token) : (sasl as SASLOptions) } : {}),
        // The socket is ours; this keeps kafkajs from warning of SASL without TLS.
        ...(tls ? { ssl: true } : {}),
        socketFactory,
        connectionTimeout: 3_000,
        requestTimeout: 15_000,
        // kafkajs waits up to half a minute between attempts, and under Jest other times.
        retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 },
        logLevel: logLevel.WARN,
        logCreator: () => entry => say(entry, { expected: fetchesEnded || !maySend() }),
      }),
      sendUntil(moment) {
        sendUntil = moment;
      },
      endFetches() {
        fetchesEnded = true;
        for (const abort of fetching) abort();
      },
      cut() {
        sendUntil = 0;
        for (const abort of open) abort();
      },
    };
  };
}
