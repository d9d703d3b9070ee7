// A mail server that keeps what it is given, and refuses what a test tells it to.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { callbackify } from 'node:util';
import { SMTPServer } from 'smtp-server';

export type MailServer = Awaited<ReturnType<typeof startMailServer>>;

type ReceivedMail = { from: string; to: string[]; source: string };

/** How it answers: temporarily unable is a code from 400 to 499, and never is one from 500 on (RFC 5321 §4.2.1). */
type Behaviour = { refusesWith?: number; isSilent?: boolean };

export async function startMailServer() {
  const received: ReceivedMail[] = [];
  let tries = 0;
  let behaviour: Behaviour = {};
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onRcptTo(_address, _session, callback) {
      tries += 1;
      const { refusesWith, isSilent } = behaviour;
      if (isSilent) return;
      callback(refusesWith === undefined ? null : Object.assign(new Error('refused'), { responseCode: refusesWith }));
    },
    onData(stream, { envelope }, callback) {
      const keep = async () => {
        const source = await text(stream);
        const from = envelope.mailFrom ? envelope.mailFrom.address : '';
        received.push({ from, to: envelope.rcptTo.map(({ address }) => address), source });
      };
      callbackify(keep)(error => callback(error));
    },
  });
  const tcp = server.listen(0, '127.0.0.1');
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;

  return {
    url: `smtp://127.0.0.1:${port}`,
    /** Oldest first, as they came. */
    received: received as readonly ReceivedMail[],
    /** How often a recipient was named. */
    tries: () => tries,
    behaves: (next: Behaviour): void => void (behaviour = next),
    stop: () => new Promise<void>(resolve => server.close(() => resolve())),
  };
}
