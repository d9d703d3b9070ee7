// Mail to people, by the operator's server (SMTP). Without one nothing is sent, and nothing waits to be.
import { Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { isLoopback } from '../loopback.ts';

export type Mail = {
  to: readonly string[];
  subject: string;
  text: string;
  /** The same for each try of one mail, so that whoever gets it twice sees that. Letters, digits and underscores. */
  id: string;
};

export type Mailer = {
  /**
   * Until the server has taken it for one of them at least. Throws where it has not, or takes long however much it
   * says; see `isRefused`.
   */
  send(mail: Mail): Promise<void>;
  close(): void;
};

type Given = {
  /** smtp://user:password@host:587, or smtps:// for TLS from the first byte on. */
  url: string;
  /** As in a mail: Acme <no-reply@acme.example>. */
  from: string;
  /** How long the server may say nothing. The whole mail may take three times as long. */
  timeoutMs?: number;
};

export function createMailer({ url, from, timeoutMs = 10_000 }: Given): Mailer {
  const options = {
    url,
    // A server on this machine may have no certificate; anywhere else the password and the mail do not travel in the
    // clear.
    requireTLS: !isLoopback(new URL(url).hostname),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    // What a name or an address holds is text, whatever it looks like.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const open = new Set<Socket>();
  const domain = /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? 'localhost';

  return {
    async send({ to, subject, text, id }) {
      // What an address is is an address, not a text in which a library finds several.
      const recipients = to.map(address => ({ name: '', address }));
      const socket = new Socket();
      open.add(socket);
      const end = () => socket.destroy(new Error('the mail server took too long'));
      const deadline = setTimeout(end, 3 * timeoutMs);
      try {
        const transport = createTransport({ ...options, socket }, { from });
        await transport.sendMail({ to: recipients, subject, text, messageId: `<${id}@${domain}>` });
      } finally {
        clearTimeout(deadline);
        open.delete(socket);
      }
    },
    close() {
      for (const socket of open) socket.destroy();
    },
  };
}

/** The server will not take it at another time either (RFC 5321 §4.2.1). */
export const isRefused = (error: unknown): boolean =>
  error instanceof Error && 'responseCode' in error && Number(error.responseCode) >= 500;
