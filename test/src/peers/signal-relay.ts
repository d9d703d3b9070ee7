// Stands between a transmitter of security events and Reeve: hands on each as it came, and remembers what it was, when
// it came, and how it was answered.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '@reeve/testing';
import { decodeJwt } from 'jose';

export type Pushed = {
  jti: string;
  /** The name of the event, without what all of its profile begin with. */
  event: string;
  subject: unknown;
  status: number;
  /** By the clock of `performance.now()`. */
  cameAt: number;
};

export type SignalRelay = Awaited<ReturnType<typeof startSignalRelay>>;

export async function startSignalRelay() {
  const pushed: Pushed[] = [];
  let goesTo = '';
  let isAnswerLost = false;

  async function handOn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const cameAt = performance.now();
    const token = Buffer.concat(await request.toArray()).toString();
    const answer = await fetch(goesTo, {
      method: 'POST',
      headers: { 'content-type': request.headers['content-type'] ?? '' },
      body: token,
    });
    const { jti = '', events, sub_id: subject } = decodeJwt<{ events: object; sub_id: unknown }>(token);
    const [uri = ''] = Object.keys(events);
    pushed.push({ jti, event: uri.slice(uri.lastIndexOf('/') + 1), subject, status: answer.status, cameAt });
    response.writeHead(isAnswerLost ? 503 : answer.status).end(await answer.text());
    isAnswerLost = false;
  }
  const server = createServer((request, response) => {
    handOn(request, response).catch(() => response.writeHead(502).end());
  });

  return {
    ...(await listen(server)),
    pushed,
    handsOnTo(url: string) {
      goesTo = url;
    },
    /** Reeve has taken the next one, and the transmitter does not learn of it. */
    losesNextAnswer() {
      isAnswerLost = true;
    },
  };
}
