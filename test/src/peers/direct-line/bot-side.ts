// The channel as the bot meets it: activities signed by a key of the channel's own, and the connector that takes what
// the bot says.
import { randomUUID } from 'node:crypto';
import express, { type Router } from 'express';
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import type { Activity, Conversation } from './conversations.ts';

export type Bot = {
  /** Where it takes activities. */
  url: string;
  appId: string;
  channelId: string;
};

type Parts = {
  /** Of this server. */
  url(): string;
  bot(): Bot;
  /** Of the bot's own tokens. */
  issuer: string;
  conversationOf(id: string): Conversation | undefined;
};

const algorithm = 'RS256';
const kid = 'channel';
const answerWithinMs = 8_000;

export async function createBotSide({ url, bot, issuer, conversationOf }: Parts) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm);
  // As of Azure's keys: botbuilder takes a key for the channels that it endorses, if it endorses any.
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }] };
  const reeveKeys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

  const signedFor = (appId: string) =>
    new SignJWT({ serviceurl: url() })
      .setProtectedHeader({ alg: algorithm, kid, typ: 'JWT' })
      .setIssuer(url())
      .setAudience(appId)
      .setIssuedAt()
      .setNotBefore('-1 s')
      .setExpirationTime('5 minutes')
      .setJti(randomUUID())
      .sign(privateKey);

  /** What was said, as the channel hands it on: it knows who speaks, and to whom. */
  function asSent(conversation: Conversation, activity: Activity): Activity {
    const { appId, channelId } = bot();
    return {
      ...activity,
      timestamp: new Date().toISOString(),
      serviceUrl: url(),
      channelId,
      conversation: { id: conversation.id },
      recipient: { id: appId, name: 'bot', role: 'bot' },
      from: { ...activity.from, id: conversation.userId, role: 'user' },
    };
  }

  /** What the bot said to it: for an invoke, its answer. 504 where it takes too long. */
  async function send(conversation: Conversation, activity: Activity): Promise<{ status: number; body: string }> {
    const to = bot();
    try {
      const response = await fetch(to.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${await signedFor(to.appId)}` },
        body: JSON.stringify(asSent(conversation, activity)),
        signal: AbortSignal.timeout(answerWithinMs),
      });
      return { status: response.status, body: await response.text() };
    } catch {
      return { status: 504, body: '' };
    }
  }

  /** Anybody could speak for the bot otherwise. */
  async function isBot(authorization: string | undefined): Promise<boolean> {
    const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
    try {
      const { payload } = await jwtVerify(token, reeveKeys, {
        issuer,
        audience: issuer,
        typ: 'at+jwt',
        algorithms: ['ES256', algorithm],
      });
      return payload['client_id'] === bot().appId;
    } catch {
      return false;
    }
  }

  const routes: Router = express.Router();
  // The Agents SDK adds the tenant to the first, botbuilder reads the others.
  routes.get(['/:tenant/discovery/v2.0/keys', '/keys'], (_, response) => void response.json(jwks));
  routes.get('/.well-known/openidconfiguration', (_, response) => {
    response.json({
      issuer: url(),
      jwks_uri: `${url()}/keys`,
      id_token_signing_alg_values_supported: [algorithm],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
    });
  });
  routes.post(
    ['/v3/conversations/:id/activities', '/v3/conversations/:id/activities/:replyToId'],
    express.json(),
    async (request, response) => {
      const conversation = conversationOf(String(request.params['id']));
      if (!(await isBot(request.headers.authorization))) response.status(401).end();
      else if (!conversation) response.status(404).end();
      else {
        const said = { ...(request.body as Activity), from: { id: bot().appId, name: 'bot', role: 'bot' } };
        response.status(201).json({ id: conversation.add(said) });
      }
    },
  );
  return { routes, send, signedFor, asSent };
}
