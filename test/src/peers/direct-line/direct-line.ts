// A small Direct Line server, as Web Chat speaks to one: conversations by tokens that name the person, activities by
// POST, what the bot says by polling and by WebSocket. Towards the bot it is the channel (bot-side.ts).
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from '@reeve/testing';
import express, { type NextFunction, type Request, type Response } from 'express';
import { WebSocketServer } from 'ws';
import { type Bot, createBotSide } from './bot-side.ts';
import { type Activity, type Conversation, newConversation } from './conversations.ts';

export type DirectLine = Awaited<ReturnType<typeof startDirectLine>>;

const base = '/v3/directline';
const expiresInSeconds = 1_800;

/** `issuer` is whose tokens the bot proves itself by. */
export async function startDirectLine({ issuer }: { issuer: string }) {
  const people = new Map<string, { userId: string; conversationId: string | null }>();
  const conversations = new Map<string, Conversation>();
  const answers: { name: string; status: number; body: string }[] = [];
  let bot: Bot | null = null;

  const side = await createBotSide({
    url: () => url,
    bot: () => {
      if (bot === null) throw new Error('there is no bot yet');
      return bot;
    },
    issuer,
    conversationOf: id => conversations.get(id),
  });

  function newToken(userId: string, conversationId: string | null = null): string {
    const token = randomBytes(24).toString('base64url');
    people.set(token, { userId, conversationId });
    return token;
  }

  function begun(conversation: Conversation, watermark?: string) {
    const token = newToken(conversation.userId, conversation.id);
    const stream = new URL(`${base}/conversations/${conversation.id}/stream`, url.replace(/^http/, 'ws'));
    stream.search = new URLSearchParams({ watermark: watermark ?? '', t: token }).toString();
    return { conversationId: conversation.id, token, streamUrl: stream.href, expires_in: expiresInSeconds };
  }

  const personOf = ({ headers }: Request) => people.get(/^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '');

  /** Of the token's own person alone. */
  function own(request: Request): Conversation {
    const person = personOf(request);
    const id = String(request.params['id']);
    const conversation = conversations.get(id);
    if (!conversation || person?.conversationId !== id) throw new NotFound();
    return conversation;
  }

  async function take(conversation: Conversation, activity: Activity): Promise<{ status: number; id: string }> {
    // An invoke is between page and bot, and not part of what was said.
    const id = activity.type === 'invoke' ? randomBytes(8).toString('hex') : conversation.add(activity);
    const { status, body } = await side.send(conversation, { ...activity, id });
    if (activity.type === 'invoke') answers.push({ name: activity.name ?? '', status, body });
    return { status, id };
  }

  const app = express();
  app.use(side.routes);
  app.use(base, allowEveryPage, express.json(), (request, response, next) => {
    if (personOf(request)) next();
    else response.status(403).json({ error: { code: 'BadArgument', message: 'the token has expired' } });
  });
  app.post(`${base}/conversations`, (request, response) => {
    const conversation = newConversation(personOf(request)?.userId ?? '');
    conversations.set(conversation.id, conversation);
    response.status(201).json(begun(conversation));
  });
  app.get(`${base}/conversations/:id`, (request, response) => {
    response.json(begun(own(request), watermarkOf(request)));
  });
  app.post(`${base}/tokens/refresh`, (request, response) => {
    const conversation = conversations.get(personOf(request)?.conversationId ?? '');
    if (!conversation) throw new NotFound();
    response.json(begun(conversation));
  });
  app.get(`${base}/session/getsessionid`, (_, response) => void response.json({ sessionId: newToken('') }));
  app.get(`${base}/conversations/:id/activities`, (request, response) => {
    response.json(own(request).since(watermarkOf(request)));
  });
  app.post(`${base}/conversations/:id/activities`, async (request, response) => {
    const conversation = own(request);
    const from = { ...(request.body as Activity).from, id: conversation.userId };
    const { status, id } = await take(conversation, { ...(request.body as Activity), from });
    // Web Chat shows the card on what is a server's failure, as 412 of a bot is at Azure; other 4xx it throws.
    if (status >= 300) response.status(status === 504 ? 504 : 502).json({ error: { code: 'BotError' } });
    else response.json({ id });
  });
  app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
    if (error instanceof NotFound) response.status(404).json({ error: { code: 'BadArgument' } });
    else next(error);
  });

  const server = createServer(app);
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    const asked = new URL(request.url ?? '', url);
    const person = people.get(asked.searchParams.get('t') ?? '');
    const conversation = conversations.get(person?.conversationId ?? '');
    if (!conversation || asked.pathname !== `${base}/conversations/${conversation.id}/stream`) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, webSocket => {
      const before = conversation.since(asked.searchParams.get('watermark') ?? '');
      if (before.activities.length > 0) webSocket.send(JSON.stringify(before));
      webSocket.on(
        'close',
        conversation.hear(set => webSocket.send(JSON.stringify(set))),
      );
    });
  });
  const { url, stop } = await listen(server);

  return {
    /** The connector: what activities name as their service URL, and where the channel's keys are. */
    url,
    /** What Web Chat takes as `domain`. */
    domain: url + base,
    /** What the product's own backend gets for its page. */
    newToken: (userId: string) => newToken(userId),
    isFor(one: Bot): void {
      bot = one;
    },
    /** What the channel proves itself by to a bot. */
    signedFor: side.signedFor,
    asSent(conversationId: string, activity: Activity): Activity {
      const conversation = conversations.get(conversationId);
      if (!conversation) throw new NotFound();
      return side.asSent(conversation, activity);
    },
    /** What the bot has answered to invokes, oldest first. */
    answers,
    async stop(): Promise<void> {
      for (const socket of sockets.clients) socket.terminate();
      await stop();
    },
  };
}

const watermarkOf = ({ query: { watermark } }: Request): string => (typeof watermark === 'string' ? watermark : '');

class NotFound extends Error {}

function allowEveryPage(request: Request, response: Response, next: NextFunction): void {
  response.set({
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization,content-type,x-ms-bot-agent,x-requested-with',
    'access-control-allow-methods': 'GET,POST',
  });
  if (request.method === 'OPTIONS') response.status(204).end();
  else next();
}
