// The Express application that every service has: limits, headers, logs, health, the declared routes, and errors as problems.
import { type Access, createAccess } from '@reeve/access';
import { newId, ProblemError } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import express, { type Express, type RequestHandler } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { pinoHttp } from 'pino-http';
import type { BaseConfig } from './config.ts';
import { createRouteHandlers } from './handle-route.ts';
import { styleHash } from './html.ts';
import type { Logger } from './logger.ts';
import { openApiDocument } from './openapi.ts';
import { problemHandler, sendProblem } from './problem-json.ts';
import { expressPath, type Route } from './route.ts';
import { serveMetrics } from './telemetry.ts';
import type { TenantDirectory } from './tenant-directory.ts';
import type { VerifyToken } from './token-verifier.ts';

export type AppParts = {
  name: string;
  config: BaseConfig;
  log: Logger;
  store: Store;
  tenants: TenantDirectory;
  verifyToken: VerifyToken;
  access?: Access;
  /** Resolves when the service can do its work; its rejection is what /readyz reports. */
  ready: () => Promise<void>;
};

export type AppContent = {
  routes: readonly Route[];
  /** Handlers of great load that bring their own limits, traces and errors: mounted before the log and the platform's limiter. */
  ahead?: readonly RequestHandler[];
  /** Handlers with their own way of reading a request, such as pages. Mounted before the routes. */
  before?: readonly RequestHandler[];
  /** A handler that answers whatever is left, such as a mounted protocol implementation. */
  fallback?: RequestHandler;
};

const bodyLimit = '256kb';
const requestsPerMinute = 12_000;

/**
 * The policy of our pages. Browsers apply `form-action` to where a form's answer redirects as well, so a page whose form ends at another
 * origin lists that origin, or `anywhere` where it cannot be known (an identity provider, an application's callback).
 */
export function contentSecurityPolicy(formAction: readonly string[] | 'anywhere' = []): string {
  const action = formAction === 'anywhere' ? '' : ` form-action ${["'self'", ...formAction].join(' ')};`;
  return `default-src 'none'; script-src 'self'; style-src ${styleHash};${action} frame-ancestors 'none'; base-uri 'none'`;
}

export function createApp(parts: AppParts, { routes, ahead = [], before = [], fallback }: AppContent): Express {
  const { name, config, log, store, tenants, verifyToken, ready } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.REEVE_TRUST_PROXY);
  app.set('etag', false);
  app.set('query parser', 'simple');

  app.use((_request, response, next) => {
    response.setHeader('Reeve-Request-Id', newId('request'));
    next();
  });
  for (const handler of ahead) app.use(handler);
  app.use(
    helmet({ contentSecurityPolicy: false, strictTransportSecurity: config.REEVE_SELF_URL.startsWith('https:') }),
  );
  app.use((_request, response, next) => {
    response.setHeader('Content-Security-Policy', contentSecurityPolicy());
    response.setHeader('Cache-Control', 'no-store');
    next();
  });

  app.get('/healthz', (_request, response) => void response.json({ status: 'ok' }));
  app.get('/readyz', async (_request, response) => {
    try {
      await ready();
      response.json({ status: 'ready' });
    } catch (error) {
      log.warn({ error }, 'not ready');
      response.status(503).json({ status: 'not ready', reason: error instanceof Error ? error.name : 'unknown' });
    }
  });
  app.get('/metrics', (request, response) => serveMetrics(request, response));
  const document = openApiDocument({ name, selfUrl: config.REEVE_SELF_URL, issuer: config.REEVE_ISSUER, routes });
  app.get('/openapi.json', (_request, response) => void response.json(document));

  app.use(
    pinoHttp({
      logger: log,
      quietReqLogger: true,
      customLogLevel: (_request, response) => (response.statusCode >= 500 ? 'error' : 'debug'),
      serializers: {
        req: (request: { method: string; url: string }) => ({
          method: request.method,
          path: request.url.split('?')[0],
        }),
        res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      },
    }),
  );
  if (config.REEVE_RATE_LIMITS === 'on') {
    app.use(
      rateLimit({
        windowMs: 60_000,
        limit: requestsPerMinute,
        standardHeaders: 'draft-8',
        legacyHeaders: false,
        handler: (_request, response) =>
          sendProblem(response, new ProblemError('rate_limited', undefined, { retryAfterSeconds: 60 })),
      }),
    );
  }
  for (const handler of before) app.use(handler);

  const handlerOf = createRouteHandlers({ verifyToken, tenants, store, access: parts.access ?? createAccess() });
  const parseJson = express.json({ limit: bodyLimit, strict: true });
  for (const route of routes) app[route.method](expressPath(route.path), parseJson, handlerOf(route));
  for (const path of new Set(routes.map(route => route.path))) {
    const methods = routes.filter(route => route.path === path).map(route => route.method.toUpperCase());
    app.all(expressPath(path), (_request, response) => {
      response.setHeader('Allow', methods.join(', '));
      throw new ProblemError('method_not_allowed');
    });
  }
  if (fallback) app.use(fallback);
  app.use(() => {
    throw new ProblemError('not_found');
  });
  app.use(problemHandler(log));
  return app;
}
