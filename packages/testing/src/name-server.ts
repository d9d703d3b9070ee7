// A name server that says what a test tells it to, over UDP and, for what does not fit, over TCP.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import * as dns from 'dns-packet';

export type NameServer = Awaited<ReturnType<typeof startNameServer>>;

/** Of TXT records, each a text or the strings that it is cut into; or how the server does not give any. */
export type Zone = { txt: readonly (string | readonly string[])[] } | { cname: string } | Failure;
type Failure = 'nxdomain' | 'servfail' | 'refused' | 'silence';

type Asked = { name: string; over: 'udp' | 'tcp' };

/** RFC 1035 §4.1.1. */
const codes = { nxdomain: 3, servfail: 2, refused: 5 } as const;
/** Without EDNS (RFC 1035 §2.3.4). */
const usualBytes = 512;
const longestString = 255;
const attempts = 20;

const strings = (record: string | readonly string[]): string[] =>
  typeof record === 'string' ? (record.match(new RegExp(`[^]{1,${longestString}}`, 'g')) ?? ['']) : [...record];

async function listenOnOnePort() {
  for (let attempt = 1; ; attempt += 1) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return { tcp, udp, port };
    } catch (error) {
      tcp.close();
      if (attempt === attempts) throw error;
    }
  }
}

export async function startNameServer() {
  const zones = new Map<string, Zone>();
  const asked: Asked[] = [];
  const sockets = new Set<Socket>();
  const { tcp, udp, port } = await listenOnOnePort();

  /** What stands at the name, or at a wildcard above it (RFC 4592). */
  function zoneOf(name: string): Zone {
    const labels = name.toLowerCase().split('.');
    const wildcards = labels.map((_, index) => ['*', ...labels.slice(index + 1)].join('.'));
    const found = [labels.join('.'), ...wildcards].find(one => zones.has(one));
    return (found === undefined ? undefined : zones.get(found)) ?? 'nxdomain';
  }

  function recordsOf(name: string): { answers: dns.Answer[]; failure: Failure | null } {
    const zone = zoneOf(name);
    if (typeof zone === 'string') return { answers: [], failure: zone };
    const common = { name, class: 'IN', ttl: 300 } as const;
    if ('txt' in zone)
      return { answers: zone.txt.map(data => ({ ...common, type: 'TXT', data: strings(data) })), failure: null };
    const { answers, failure } = recordsOf(zone.cname);
    return { answers: [{ ...common, type: 'CNAME', data: zone.cname }, ...answers], failure };
  }

  /** Null for no answer at all. */
  function answerTo(message: Buffer, over: Asked['over']): Buffer | null {
    const { id = 0, questions = [], additionals = [] } = dns.decode(message);
    const name = questions[0]?.name ?? '';
    asked.push({ name, over });
    const { answers, failure } = recordsOf(name);
    if (failure === 'silence') return null;
    const flags = dns.RECURSION_DESIRED | dns.RECURSION_AVAILABLE | (failure ? codes[failure] : 0);
    const whole = dns.encode({ type: 'response', id, flags, questions, answers });
    const edns = additionals.find(({ type }) => type === 'OPT') as { udpPayloadSize?: number } | undefined;
    if (over === 'tcp' || whole.length <= (edns?.udpPayloadSize ?? usualBytes)) return whole;
    return dns.encode({ type: 'response', id, flags: flags | dns.TRUNCATED_RESPONSE, questions });
  }

  udp.on('message', (message, from) => {
    const answer = answerTo(message, 'udp');
    if (answer) udp.send(answer, from.port, from.address);
  });
  tcp.on('connection', socket => {
    sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => socket.destroy()));
    let read = Buffer.alloc(0);
    socket.on('data', chunk => {
      read = Buffer.concat([read, chunk]);
      // Each message follows its length (RFC 1035 §4.2.2).
      while (read.length >= 2 && read.length >= 2 + read.readUInt16BE(0)) {
        const end = 2 + read.readUInt16BE(0);
        const answer = answerTo(read.subarray(2, end), 'tcp');
        read = read.subarray(end);
        if (!answer) continue;
        const length = Buffer.alloc(2);
        length.writeUInt16BE(answer.length);
        socket.write(Buffer.concat([length, answer]));
      }
    });
  });

  return {
    /** As a resolver is configured. */
    address: `127.0.0.1:${port}`,
    /** What came, oldest first. */
    asked: asked as readonly Asked[],
    /** From now on. A name that begins with `*.` is a wildcard; what nothing is said of is not there. */
    says: (name: string, zone: Zone): void => void zones.set(name.toLowerCase(), zone),
    async stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>(resolve => udp.close(resolve)),
        new Promise<void>(resolve => tcp.close(() => resolve())),
      ]);
    },
  };
}
