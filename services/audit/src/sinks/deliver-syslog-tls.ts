// Syslog over TLS (RFC 5425): frames of a length in octets, a space and the message. The protocol has no acknowledgement, so a batch has a connection of its own:
// it counts as delivered when the receiver has read to its end and closes in order.
import { once } from 'node:events';
import { type Deliver, delivered, notReached } from './delivery.ts';
import type { TargetOf } from './sink.ts';

const withinMs = 20_000;

export const deliverSyslogTls: Deliver<TargetOf<'syslog_tls'>> = async (
  { connect },
  { target: { host, port, ca } },
  { lines },
) => {
  const frames = lines.map(({ text }) => {
    const message = Buffer.from(text, 'utf8');
    return Buffer.concat([Buffer.from(`${message.length} `), message]);
  });
  const signal = AbortSignal.timeout(withinMs);
  try {
    const socket = await connect({ host, port, ca, signal });
    // What it says is of no interest, but has to be read for its end to be seen.
    socket.resume();
    const closed = once(socket, 'end', { signal });
    socket.end(Buffer.concat(frames));
    await closed;
    socket.destroy();
    return delivered;
  } catch (error) {
    throw notReached(error);
  }
};
