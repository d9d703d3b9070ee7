// The life of a service process: read the environment, build, listen, and on SIGTERM or SIGINT stop in order.
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { ProblemError } from '@reeve/contracts';
import { isKafkaUnavailable } from '@reeve/event-bus';
import { isStoreUnavailable } from '@reeve/store';
import type { Express } from 'express';
import type { z } from 'zod';
import { type BaseConfig, ConfigError, loadConfig, storeHosts } from './config.ts';
import { exitWhenItCrashes } from './crash-policy.ts';
import { createLogger, type Logger, openLog } from './logger.ts';
import { ownAttributes, serveMetrics, stopTelemetry } from './telemetry.ts';

type Parts = { server?: Server; metrics?: Server | null; service?: Service };

export type Service = {
  app: Express;
  /** What the paths begin with whose spans the service makes itself. */
  ownSpans?: string;
  start(): Promise<void>;
  stop(): Promise<void>;
};

const stopWithinMs = 15_000;
const closeIdleEveryMs = 100;
const logWithinMs = 1_000;
/** Node looks at the limits each half minute unless told otherwise, and heeds none of them earlier. */
const timeouts = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 1_000 };
const exitBadConfig = 78; // EX_CONFIG of sysexits.h

export async function runService<S extends z.ZodType<BaseConfig>>(
  { name, schema, environment }: { name: string; schema: S; environment: NodeJS.ProcessEnv },
  create: (config: z.infer<S>, log: Logger) => Service | Promise<Service>,
): Promise<void> {
  let config: z.infer<S>;
  try {
    config = loadConfig(schema, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(exitBadConfig);
  }
  const logged = openLog();
  const log = createLogger(name, config.LOG_LEVEL, logged.stream).child(ownAttributes);
  const exit = exitWhenItCrashes({ service: name, level: config.LOG_LEVEL }, logged);
  const leave = (code: number) => {
    logged.end(logWithinMs);
    process.exit(code);
  };
  // Before anything that takes time: the first process of a container ignores a signal that it has no handler for.
  const parts: Parts = {};
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => void stop(parts, signal, log).then(leave));
  try {
    parts.service = await create(config, log);
    parts.server = createServer(timeouts, parts.service.app);
    if (parts.service.ownSpans !== undefined) aroundInstrumentation(parts.server, parts.service.ownSpans);
    await parts.service.start();
    parts.metrics = await listenForMetrics(config.METRICS_PORT, log);
    await listen(parts.server, config.PORT, log);
  } catch (error) {
    process.stderr.write(`${name}: could not start: ${whatToDo(error, config)}\n`);
    exit(error, 'could not start', error instanceof ConfigError ? exitBadConfig : 1);
  }
  log.info({ port: config.PORT }, 'listening');
}

function whatToDo(error: unknown, config: BaseConfig): string {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE') return `port ${port} is taken; set PORT or METRICS_PORT to another`;
  if (isStoreUnavailable(error)) return `MongoDB does not answer at ${storeHosts(config)} (MONGODB_URI)`;
  if (isKafkaUnavailable(error)) return `Kafka does not answer at ${config.KAFKA_BROKERS.join()} (KAFKA_BROKERS)`;
  // What of Reeve's own refuses says in its cause what the operator has to know, and no caller.
  if (error instanceof ProblemError && error.cause instanceof Error) return `${error.message}: ${error.cause.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** Returns the code to exit with. */
async function stop(parts: Parts, signal: NodeJS.Signals, log: Logger): Promise<number> {
  log.info({ signal }, 'stopping');
  const isStopped = await Promise.race([
    stopInOrder(parts, log).then(() => true),
    pause(stopWithinMs, false, { ref: false }),
  ]);
  if (isStopped) log.info('stopped');
  else log.error('did not stop in time');
  return isStopped ? 0 : 1;
}

async function stopInOrder({ server, metrics, service }: Parts, log: Logger): Promise<void> {
  if (server?.listening) await closeServer(server);
  await service?.stop();
  if (metrics) await closeServer(metrics);
  await stopTelemetry().catch((error: unknown) => log.warn({ error }, 'telemetry did not flush'));
}

/**
 * The general instrumentation binds every listener of a request to a context, also of one that it is told to ignore, at
 * a tenth of what a webhook costs. So what makes its own spans does not pass through it.
 */
function aroundInstrumentation(server: Server, ownSpans: string): void {
  const instrumented = server.emit.bind(server);
  server.emit = (event: string, ...about: unknown[]) => {
    const own = event === 'request' && (about[0] as IncomingMessage).url?.startsWith(ownSpans);
    return own ? EventEmitter.prototype.emit.call(server, event, ...about) : instrumented(event, ...about);
  };
}

/** On a port of their own: what is measured is for the platform, and not for whoever reaches the service. */
async function listenForMetrics(port: number, log: Logger): Promise<Server | null> {
  if (port === 0) return null;
  const server = createServer((request, response) => {
    if (request.method === 'GET' && request.url === '/metrics') serveMetrics(request, response);
    else response.writeHead(404).end();
  });
  await listen(server, port, log);
  return server;
}

function listen(server: Server, port: number, log: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    // For its whole life: a connection that cannot be accepted, for want of descriptors, is lost and nothing else is.
    server.on('error', error => {
      reject(error);
      if (server.listening) log.error({ error }, 'a connection could not be accepted');
    });
    server.listen(port, () => resolve());
  });
}

/** Stops accepting, lets running requests finish. */
async function closeServer(server: Server): Promise<void> {
  // A connection that is never idle would be served for ever.
  server.prependListener('request', (_, response) => {
    response.shouldKeepAlive = false;
  });
  const closeIdle = setInterval(() => server.closeIdleConnections(), closeIdleEveryMs);
  await new Promise(resolve => server.close(resolve));
  clearInterval(closeIdle);
}
