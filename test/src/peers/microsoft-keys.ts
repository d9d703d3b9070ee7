// Microsoft's key server, played for an SDK that asks there and nowhere else: a proxy that leads its two hosts to a TLS
// server of this test, with a certificate that the program is told to trust.
import { writeFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { listen } from '@reeve/testing';
import { generate } from 'selfsigned';

const hosts = ['login.microsoftonline.com', 'login.botframework.com'];

/** `directory` takes the certificate; `keys` is where the keys are. Gives the program's environment. */
export async function playMicrosoft({ directory, keys }: { directory: string; keys: string }) {
  const names = hosts.map(value => ({ type: 2 as const, value }));
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'login' }], {
    keyType: 'ec',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: names },
    ],
  });
  const file = join(directory, 'microsoft.pem');
  writeFileSync(file, cert);
  const published = await (await fetch(keys)).text();
  const site = createHttps({ key, cert }, (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(published);
  });
  await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve));
  const proxy = createHttp((_, response) => void response.writeHead(405).end());
  proxy.on('connect', (request, socket) => {
    const isOurs = hosts.some(host => request.url === `${host}:443`);
    if (!isOurs) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const onward = connect((site.address() as AddressInfo).port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  const { url, stop } = await listen(proxy);
  return {
    env: { HTTPS_PROXY: url, SSL_CERT_FILE: file, NO_PROXY: 'localhost,127.0.0.1' },
    async stop(): Promise<void> {
      site.close();
      site.closeAllConnections();
      await stop();
    },
  };
}
