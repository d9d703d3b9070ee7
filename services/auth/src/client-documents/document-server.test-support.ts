// Where applications say of themselves what they are: serves what a test says at each path. Plain http on this machine,
// which is opened to the guard; in the world it is https.
import { createServer } from 'node:http';
import { listen } from '@reeve/testing';

type Answer = { status?: number; headers?: Record<string, string>; body?: string | Buffer } | 'silence';
export type DocumentServer = Awaited<ReturnType<typeof startDocumentServer>>;

export async function startDocumentServer() {
  const answers = new Map<string, Answer>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const answer = answers.get(request.url ?? '') ?? { status: 404 };
    if (answer === 'silence') return;
    const { status = 200, headers = {}, body = '' } = answer;
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  });
  const { url: origin, stop } = await listen(server);
  let count = 0;
  return {
    origin,
    /** How often each path was asked for. */
    asked: (path: string) => asked.filter(one => one === path).length,
    answers: (path: string, answer: Answer) => void answers.set(path, answer),

    /** A good document, with what is changed in it. Its id is another one each time. */
    publish(change: object = {}, path = `/app-${(count += 1)}.json`): { id: string; path: string } {
      const id = origin + path;
      const document = {
        client_id: id,
        client_name: 'Notes for everybody',
        redirect_uris: ['https://notes.example/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        ...change,
      };
      answers.set(path, { body: JSON.stringify(document) });
      return { id, path };
    },

    async stop() {
      server.closeAllConnections();
      await stop();
    },
  };
}
