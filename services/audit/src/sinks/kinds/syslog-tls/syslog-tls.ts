// Syslog over TLS (RFC 5425): frames of a length in octets, a space and the message. The protocol has no
// acknowledgement, so a batch has a connection of its own: it counts as delivered when the receiver has read to its
// end and closes in order.
import { finished } from 'node:stream/promises';
import type { TLSSocket } from 'node:tls';
import { z } from 'zod';
import { delivered, notReached, SinkError } from '../delivery.ts';
import { ca } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';

const withinMs = 20_000;
/** Of what the receiver sends. Syslog has no answers, and reading without end would keep this process busy. */
const mostBytes = 65_536;

export const syslogTls = defineSinkKind({
  target: z.strictObject({
    kind: z.literal('syslog_tls'),
    host: z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/, 'must be a host name or an address'),
    port: z.number().int().min(1).max(65_535).default(6_514),
    ca,
  }),
  credentialIs: null,
  credential: () => ({ is: 'none' }),
  formatOf: () => 'syslog',
  takes: 'lines',
  assertReachable: (network, to) => network.assertAddress(to),

  async deliver({ network }, { target: { host, port, ca: authority } }, { lines }) {
    const frames = lines.map(({ text }) => {
      const message = Buffer.from(text, 'utf8');
      return Buffer.concat([Buffer.from(`${message.length} `), message]);
    });
    const signal = AbortSignal.timeout(withinMs);
    let socket: TLSSocket | undefined;
    let bytes = 0;
    try {
      socket = await network.connect({ host, port, ca: authority, signal });
      // What it says is of no interest, but has to be read for its end to be seen.
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > mostBytes) socket?.destroy(new SinkError('protocol', 'it answers, which syslog does not'));
      });
      const closed = finished(socket, { writable: false, signal });
      socket.end(Buffer.concat(frames));
      await closed;
      return delivered;
    } catch (error) {
      throw error instanceof SinkError ? error : notReached(error);
    } finally {
      socket?.destroy();
    }
  },
});
