// The life of a service process: read the environment, build, listen, and on SIGTERM or SIGINT stop in order.
import { createServer, type Server } from 'node:http';
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
  const service = await create(config, log);
  const server = createServer(service.app);
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;

  const stop = async (signal: NodeJS.Signals) => {
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('did not stop in time');
      process.exit(1);
    }, stopWithinMs).unref();
    await closeServer(server);
    await service.stop();
    await stopTelemetry().catch((error: unknown) => log.warn({ error }, 'telemetry did not flush'));
    log.info('stopped');
    process.exit(0);
  };
  process.once('SIGTERM', signal => void stop(signal));
  process.once('SIGINT', signal => void stop(signal));

  await service.start();
  await listen(server, config.PORT).catch((error: unknown) => {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    process.stderr.write(`${name}: ${taken ? `port ${config.PORT} is taken; set PORT to another` : String(error)}\n`);
    process.exit(1);
  });
  log.info({ port: config.PORT }, 'listening');
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
