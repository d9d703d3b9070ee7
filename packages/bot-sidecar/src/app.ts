// What the Agents SDK asks of a sidecar (authType=EntraAuthSideCar), and what libraries of Microsoft ask of the managed
// identity of an App Service (api-version 2019-08-01), which is all that other SDKs can be told. Whoever reaches it gets the bot's token, so it
// answers programs on this machine alone: nothing that a browser sends, and nothing that came under another name.
import { createHash, timingSafeEqual } from 'node:crypto';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Logger } from 'pino';
import { z } from 'zod';
import { type AppToken, NoTokenError } from './app-token.ts';
import { type Config, ownNames } from './config.ts';

type Parts = {
  config: Pick<Config, 'host' | 'clientId' | 'identityHeader'>;
  appToken: { get(options?: { isFresh: boolean }): Promise<AppToken> };
  log: Logger;
};

const retryAfterSeconds = 2;
const serviceName = /^[\w-]{1,64}$/;
/** What the SDK asks for when it speaks to the token service or to the channel. */
const botScope = /^https:\/\/api\.botframework\.com(\/\.default)?$/;

/**
 * A bot that speaks to another agent asks for a token for that agent. Giving it this one would let the other act as
 * the bot, so any other scope is refused; and so is what asks for somebody else's token (AgentIdentity and the like).
 */
const query = z.strictObject({
  'optionsOverride.Scopes': z.string().regex(botScope).optional(),
  'optionsOverride.RequestAppToken': z.literal('true'),
  'optionsOverride.AcquireTokenOptions.ForceRefresh': z.enum(['true', 'false']).default('false'),
});

const identityQuery = z.object({
  'api-version': z.literal('2019-08-01'),
  resource: z.string().regex(botScope),
  client_id: z.string().optional(),
});

const digest = (text: string) => createHash('sha256').update(text).digest();
const isSame = (sent: string | undefined, secret: string | null) =>
  sent !== undefined && secret !== null && timingSafeEqual(digest(sent), digest(secret));

export function createApp({ config: { host, clientId, identityHeader }, appToken, log }: Parts): Express {
  const names = ownNames(host);
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');

  app.use((request, response, next) => {
    response.set({ 'cache-control': 'no-store', 'cross-origin-resource-policy': 'same-origin' });
    const why = whyNot(request, names);
    if (why === null) next();
    else refuse(response, 403, why);
  });

  app.get('/healthz', (_, response) => void response.json({ status: 'ok' }));

  app.get('/AuthorizationHeaderUnauthenticated/:serviceName', async (request, response) => {
    const asked = query.safeParse(request.query);
    if (!asked.success || !serviceName.test(request.params.serviceName)) {
      refuse(response, 400, 'this gives the bot’s own token for Reeve and its channels, and no other');
      return;
    }
    const isFresh = asked.data['optionsOverride.AcquireTokenOptions.ForceRefresh'] === 'true';
    const { token } = await appToken.get({ isFresh });
    response.json({ authorizationHeader: `Bearer ${token}` });
  });

  app.get('/msi/token', async (request, response) => {
    if (!isSame(request.get('x-identity-header'), identityHeader)) {
      refuse(response, 401, 'X-IDENTITY-HEADER is not REEVE_IDENTITY_HEADER');
      return;
    }
    const asked = identityQuery.safeParse(request.query);
    if (!asked.success || (asked.data.client_id ?? clientId) !== clientId) {
      refuse(response, 400, 'this gives the bot’s own token for Reeve and its channels, and no other');
      return;
    }
    const { token, until } = await appToken.get();
    const expires = Math.floor(until / 1_000);
    response.json({
      access_token: token,
      expires_on: String(expires),
      resource: asked.data.resource,
      token_type: 'Bearer',
      client_id: clientId,
    });
  });

  app.use((_, response) => refuse(response, 404, 'there is nothing here'));

  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (!(error instanceof NoTokenError)) {
      log.error({ name: (error as Error).name }, 'could not answer');
      refuse(response, 500, 'this went wrong');
      return;
    }
    log.error({ cause: (error.cause as Error | undefined)?.message }, error.message);
    // The SDK asks again after 5xx alone.
    if (!error.isFinal) response.set('retry-after', String(retryAfterSeconds));
    refuse(response, error.isFinal ? 403 : 503, error.message);
  });
  return app;
}

function whyNot({ headers }: Request, names: readonly string[]): string | null {
  // A page whose name was made to lead to this machine (DNS rebinding) sends its own name.
  const host = URL.parse(`http://${headers.host ?? ''}`)?.hostname ?? '';
  if (!names.includes(host)) return 'it is called by another name';
  // Every browser sends the second to this machine, also with what needs no CORS. Node's fetch does not.
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) return 'it is not for browsers';
  return null;
}

const refuse = (response: Response, status: number, detail: string) =>
  void response.status(status).type('application/problem+json').json({ status, detail });
