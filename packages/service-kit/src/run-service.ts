// The life of a service process: read the environment, build, listen, and on SIGTERM or SIGINT stop in order.
import { EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { isKafkaUnavailable } from '@reeve/event-bus';
import { isStoreUnavailable } from '@reeve/store';
import type { Express } from 'express';
import type { z } from 'zod';
import { type BaseConfig, ConfigError, loadConfig } from './config.ts';
import { createLogger, type Logger } from './logger.ts';
import { stopTelemetry } from './telemetry.ts';

export type Service = { app: Express; start(): Promise<void>; stop(): Promise<void> };

const stopWithinMs = 15_000;
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
  const log = createLogger(name, config.LOG_LEVEL);
  process.on('unhandledRejection', error => {
    log.fatal({ error }, 'unhandled rejection');
    process.exit(1);
  });
  // Before anything that takes time: the first process of a container ignores a signal that it has no handler for.
  const parts: { server?: Server; service?: Service } = {};
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(parts, signal, log));
  try {
    parts.service = await create(config, log);
    parts.server = createServer(parts.service.app);
    aroundInstrumentation(parts.server);
    parts.server.requestTimeout = 30_000;
    parts.server.headersTimeout = 10_000;
    await parts.service.start();
    await listen(parts.server, config.PORT);
  } catch (error) {
    log.fatal({ error }, 'could not start');
    process.stderr.write(`${name}: could not start: ${whatToDo(error, config.PORT)}\n`);
    process.exit(1);
  }
  log.info({ port: config.PORT }, 'listening');
}

function whatToDo(error: unknown, port: number): string {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return `port ${port} is taken; set PORT to another`;
  if (isStoreUnavailable(error)) return 'MongoDB does not answer at MONGODB_URI';
  if (isKafkaUnavailable(error)) return 'Kafka does not answer at KAFKA_BROKERS';
  return error instanceof Error ? error.message : String(error);
}

async function stop(
  { server, service }: { server?: Server; service?: Service },
  signal: NodeJS.Signals,
  log: Logger,
): Promise<void> {
  log.info({ signal }, 'stopping');
  setTimeout(() => {
    log.error('did not stop in time');
    process.exit(1);
  }, stopWithinMs).unref();
  if (server?.listening) await closeServer(server);
  await service?.stop();
  await stopTelemetry().catch((error: unknown) => log.warn({ error }, 'telemetry did not flush'));
  log.info('stopped');
  process.exit(0);
}

/**
 * Webhooks make their own spans where they are received. The general instrumentation binds every listener of a request to a context, also
 * of one that it is told to ignore, at a tenth of what a webhook costs; so they do not pass through it.
 */
function aroundInstrumentation(server: Server): void {
  const instrumented = server.emit.bind(server);
  server.emit = (event: string, ...about: unknown[]) => {
    const own = event === 'request' && (about[0] as IncomingMessage).url?.startsWith('/hooks/');
    return own ? EventEmitter.prototype.emit.call(server, event, ...about) : instrumented(event, ...about);
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve());
  });
}

/** Stops accepting, lets running requests finish. */
function closeServer(server: Server): Promise<void> {
  return new Promise(resolve => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
