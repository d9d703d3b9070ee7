// Where an identity provider's metadata lies: serves what a test says, or nothing, or for ever.
import { createServer } from 'node:http';
import { listen } from '@reeve/testing';

export type MetadataServer = Awaited<ReturnType<typeof startMetadataServer>>;

export async function startMetadataServer(first: string) {
  let answer: string | number | 'silence' | Buffer = first;
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    if (answer === 'silence') return;
    if (typeof answer === 'number') return void response.writeHead(answer).end();
    response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(answer);
  });
  const { url, stop } = await listen(server);
  return {
    url: `${url}/metadata`,
    origin: url,
    /** A document, a status without one, or a connection on which nothing comes. */
    says(what: typeof answer) {
      answer = what;
    },
    asked: () => asked,
    async stop() {
      server.closeAllConnections();
      await stop();
    },
  };
}
