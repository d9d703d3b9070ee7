// A server for the adapters of key services that answers what a test says, and remembers what it was asked.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '@reeve/testing';

type Asked = { path: string; headers: IncomingMessage['headers']; body: Record<string, unknown> };
export type Say = (response: ServerResponse, asked: Asked) => void;

export async function startLyingServer() {
  const asked: Asked[] = [];
  let say: Say = response => void response.writeHead(404).end();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8') || '{}') as Record<string, unknown>;
      const now = { path: request.url ?? '', headers: request.headers, body };
      asked.push(now);
      say(response, now);
    });
  });
  const { url, stop } = await listen(server);
  return {
    url,
    stop,
    asked,
    says(next: Say) {
      asked.length = 0;
      say = next;
    },
  };
}

export const json =
  (status: number, body: unknown): Say =>
  response =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** What neither kind may take for an answer. The last two take their time. */
export const lies: Record<string, Say> = {
  'is rubbish': response => void response.writeHead(200).end('<html>it works</html>'),
  'is empty': response => void response.writeHead(200).end(),
  'is something else': json(200, { data: { hello: 'there' }, KeyId: 'another', Plaintext: '', CiphertextBlob: '' }),
  'is 10 MB': response => void response.writeHead(200).end(`{"data":"${'x'.repeat(10_000_000)}"}`),
  'is elsewhere': response => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
  'is that it has failed': json(500, { errors: ['internal'] }),
  'never comes': () => undefined,
  'never ends': response => void response.writeHead(200).write('{'),
};
