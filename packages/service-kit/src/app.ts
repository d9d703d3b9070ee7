// The Express application that every service has: headers, logs, limits, health, the declared routes and nothing
// besides, and errors in the form that the caller reads.
import { type Access, createAccess } from '@reeve/access';
import { newId, ProblemError } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express';
import { rateLimit } from 'express-rate-limit';
import helmet from 'helmet';
import { pinoHttp } from 'pino-http';
import { familyFor, sendError } from './answer.ts';
import type { BaseConfig } from './config.ts';
import type { GiveWay } from './give-way.ts';
import { type AssertSignIn, type Authenticate, createRouteHandlers } from './handle-route.ts';
import type { Logger } from './logger.ts';
import { measure } from './metrics.ts';
import { openApiDocument } from './openapi.ts';
import { contentSecurityPolicy } from './pages/document.ts';
import { html } from './pages/html.ts';
import { productNameKey, sendPage } from './pages/send-page.ts';
import { expressPath, mostSpecificFirst } from './path.ts';
import { toProblem } from './problem-json.ts';
import { publicPath } from './public-path.ts';
import type { AnswerKind, Route } from './route.ts';
import type { TenantDirectory } from './tenant-directory.ts';
import type { VerifyToken } from './token-verifier.ts';

export type AppParts = {
  name: string;
  /** In a sentence, for whoever opens the root. */
  purpose: string;
  config: BaseConfig;
  log: Logger;
  store: Store;
  tenants: TenantDirectory;
  verifyToken: VerifyToken;
  /** By the built-in roles unless given. */
  access?: Access;
  authenticate?: { directory?: Authenticate; browser?: Authenticate };
  /** Asked after access is decided. A service without it demands nothing of how people have signed in. */
  assertSignIn?: AssertSignIn;
  /** Resolves when the service can do its work; its rejection is what /readyz reports. */
  ready: () => Promise<void>;
  routes: readonly Route[];
  /** Hears of each request, for work that gives way to them. */
  giveWay?: GiveWay;
  /**
   * A route of great load, served before everything else by handlers with their own limits, traces and errors. Declared
   * among the routes all the same.
   */
  fastLane?: {
    route: Route;
    /** Null for a path that is not the lane's. */
    handlerFor: (path: string) => RequestHandler | null;
  };
};

const requestsPerMinute = 12_000;
const preflightSeconds = '600';

export function createApp(parts: AppParts): Express {
  const { config, log, fastLane, giveWay } = parts;
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', config.REEVE_TRUST_PROXY);
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.locals[productNameKey] = config.REEVE_PRODUCT_NAME;

  app.use((_request, response, next) => {
    response.setHeader('Reeve-Request-Id', newId('request'));
    next();
  });
  if (fastLane) app.use(inFastLane(fastLane));
  app.use(
    helmet({
      contentSecurityPolicy: false,
      strictTransportSecurity: config.REEVE_SELF_URL.startsWith('https:'),
      // As `frame-ancestors` says it to browsers that know that.
      xFrameOptions: { action: 'deny' },
    }),
  );
  app.use((_request, response, next) => {
    response.setHeader('Content-Security-Policy', contentSecurityPolicy());
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  serveHealth(app, parts);
  app.use(requestLog(log));
  app.use((request, response, next) => {
    measure(request, response);
    next();
  });
  if (giveWay) app.use(giveWay.noteRequest);
  if (config.REEVE_RATE_LIMITS === 'on') app.use(limitByAddress());
  serveAbout(app, parts);
  serveRoutes(app, parts);
  app.use(() => {
    throw new ProblemError('not_found', 'there is nothing at this path');
  });
  app.use(errorHandler(log));
  return app;
}

/**
 * Measured, but without a line in the log: that would take twice the processor time of all that Node and Express do for
 * such a request. Whoever has great load keeps a record of its own.
 */
function inFastLane({ route, handlerFor }: NonNullable<AppParts['fastLane']>): RequestHandler {
  return (request, response, next) => {
    const handler = handlerFor(request.path);
    if (!handler) return next();
    response.locals['route'] = route.path;
    measure(request, response);
    return handler(request, response, next);
  };
}

function serveHealth(app: Express, { log, ready }: AppParts): void {
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
}

/** Of what is not offered (501) the caller is told so: that is a refusal like any other. */
const isFailure = (status: number) => status >= 500 && status !== 501;

/** One line per request, with its id; the query is left out, since it carries codes and states. */
const requestLog = (log: Logger) =>
  pinoHttp({
    logger: log,
    quietReqLogger: true,
    genReqId: (_request, response) => String(response.getHeader('Reeve-Request-Id')),
    customAttributeKeys: { reqId: 'requestId' },
    customLogLevel: (_request, response) => (isFailure(response.statusCode) ? 'error' : 'info'),
    customSuccessMessage: () => 'answered',
    customErrorMessage: () => 'answered',
    serializers: {
      req: (request: { method: string; url: string }) => ({ method: request.method, path: publicPath(request.url) }),
      res: (response: { statusCode: number }) => ({ status: response.statusCode }),
      // What went wrong is logged where it is turned into an answer.
      err: () => undefined,
    },
  });

function limitByAddress() {
  return rateLimit({
    windowMs: 60_000,
    limit: requestsPerMinute,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_request, _response, next) =>
      next(new ProblemError('rate_limited', undefined, { retryAfterSeconds: 60 })),
  });
}

/** What this is, and where to go, for a program and for a person. */
function serveAbout(app: Express, { name, purpose, config, routes }: AppParts): void {
  const document = openApiDocument({ name, selfUrl: config.REEVE_SELF_URL, issuer: config.REEVE_ISSUER, routes });
  app.get('/openapi.json', (_request, response) => void response.json(document));
  if (routes.some(({ path }) => path === '/')) return;
  const links = { openapi: '/openapi.json', health: '/healthz', ready: '/readyz', issuer: config.REEVE_ISSUER };
  app.get('/', async (request, response) => {
    if (familyFor(request) === 'json') return void response.json({ service: name, purpose, links });
    const list = Object.entries(links).map(([what, link]) => html`<li>${what}: <a href="${link}">${link}</a></li>`);
    await sendPage(response, { title: `Reeve ${name}`, content: html`<p>${purpose}</p><ul>${list}</ul>` });
  });
}

function serveRoutes(app: Express, parts: AppParts): void {
  const { routes, verifyToken, tenants, store, authenticate = {}, access = createAccess(), assertSignIn } = parts;
  const selfUrl = parts.config.REEVE_SELF_URL;
  const handlerOf = createRouteHandlers({
    verifyToken,
    tenants,
    store,
    authenticate,
    access,
    selfUrl,
    ...(assertSignIn ? { assertSignIn } : {}),
  });
  const served = routes.filter(route => route !== parts.fastLane?.route);
  for (const path of mostSpecificFirst(new Set(served.map(route => route.path)))) {
    const own = served.filter(route => route.path === path);
    for (const route of own) app[route.method](expressPath(path), labelled(route), handlerOf(route));
    const methods = own.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
    const isCrossOrigin = own.some(({ crossOrigin = false }) => crossOrigin !== false);
    app.all(expressPath(path), (request, response) => {
      response.locals['answers'] = own[0]?.answer;
      response.locals['route'] = path;
      if (request.method === 'OPTIONS' && isCrossOrigin)
        return allowPreflight(request.get('Origin'), methods, response);
      response.setHeader('Allow', methods.join(', '));
      throw new ProblemError('method_not_allowed');
    });
  }
}

/** For metrics: the path as it is declared, and not as it was filled in. */
const labelled =
  ({ path }: Route): RequestHandler =>
  (_request, response, next) => {
    response.locals['route'] = path;
    next();
  };

/** A preflight carries no token and grants nothing: what the request may, its own answer says. */
function allowPreflight(origin: string | undefined, methods: readonly string[], response: Response): void {
  response.vary('Origin');
  if (origin !== undefined) {
    response.setHeader('Access-Control-Allow-Origin', origin);
    response.setHeader('Access-Control-Allow-Methods', methods.join(', '));
    response.setHeader('Access-Control-Allow-Headers', 'Authorization, Content-Type, DPoP');
    response.setHeader('Access-Control-Max-Age', preflightSeconds);
  }
  response.status(204).end();
}

function errorHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    // The caller has gone, and the work has ended for that.
    if (response.closed && (error as Error | null)?.name === 'AbortError') return;
    const problem = toProblem(error);
    const about = { code: problem.code, requestId: response.getHeader('Reeve-Request-Id') };
    if (isFailure(problem.status)) log.error({ ...about, error: problem.cause ?? problem }, 'request failed');
    else log.debug({ ...about, error: problem.cause }, 'request refused');
    if (response.headersSent) return next(error);
    const family = (response.locals['answers'] as AnswerKind | undefined) ?? familyFor(request);
    return sendError(family, response, problem);
  };
}
