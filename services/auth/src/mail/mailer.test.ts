import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type MailServer, startMailServer } from '@reeve/testing';
import { createMailer, isRefused, type Mailer } from './mailer.ts';

let server: MailServer;
const mailers: Mailer[] = [];
const mail = { to: ['it@acme.example'], subject: 'Something ends soon', text: 'Soon.', id: 'evt_1' };

function mailerTo(url: string): Mailer {
  const mailer = createMailer({ url, from: 'Acme <no-reply@acme.example>', timeoutMs: 300 });
  mailers.push(mailer);
  return mailer;
}

beforeEach(async () => {
  server = await startMailServer();
});
afterEach(async () => {
  for (const mailer of mailers.splice(0)) mailer.close();
  await server.stop();
});

test('a mail is sent, and told from one that the server will never take', async () => {
  const mailer = mailerTo(server.url);
  await mailer.send(mail);
  await mailer.send(mail);
  expect(server.received.map(({ to }) => to)).toEqual([mail.to, mail.to]);
  for (const [refusesWith, isForEver] of [
    [451, false],
    [550, true],
  ] as const) {
    server.behaves({ refusesWith });
    expect(isRefused(await mailer.send(mail).catch((error: unknown) => error))).toBe(isForEver);
  }
});

test('a server that always says a little, and never comes to an end, is left', async () => {
  const { promise: left, resolve: hasLeft } = Promise.withResolvers<void>();
  const slow = createServer(socket => {
    socket.write('220 welcome\r\n');
    const drip = setInterval(() => socket.write('250-more\r\n'), 50);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(drip);
      hasLeft();
    });
  });
  slow.listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const { port } = slow.address() as AddressInfo;
  const began = performance.now();
  await expect(mailerTo(`smtp://127.0.0.1:${port}`).send(mail)).rejects.toThrow('took too long');
  expect(performance.now() - began).toBeGreaterThan(600);
  await left;
  await new Promise(resolve => slow.close(resolve));
});

test('what is on its way when nobody sends any more is given up', async () => {
  server.behaves({ isSilent: true });
  const mailer = mailerTo(server.url);
  const sending = mailer.send(mail);
  setTimeout(() => mailer.close(), 100);
  await expect(sending).rejects.toThrow();
});
