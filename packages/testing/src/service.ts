// One service in this process: its own configuration, database and port, real engines, and an issuer whose tokens it
// takes.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { type BaseConfig, createLogger, type Logger, loadConfig, type Service } from '@reeve/service-kit';
import type { JWTPayload } from 'jose';
import { engines } from './engines.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { listen } from './listen.ts';

type Schema<C> = Parameters<typeof loadConfig>[0] & { _output?: C };

export type Answer<T> = { status: number; headers: Headers; body: T };

export type Ask = {
  /** Claims of the caller; a text is sent as the token itself. Nobody in particular without. */
  as?: JWTPayload | string;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
};

export type RunningService<S extends Service = Service> = Awaited<ReturnType<typeof startService<BaseConfig, S>>>;

export async function startService<C extends BaseConfig, S extends Service>({
  name,
  schema,
  create,
  environment = {},
  issuer: given,
  isIssuer = false,
  host = '127.0.0.1',
}: {
  name: string;
  schema: Schema<C>;
  create: (config: C, log: Logger) => S | Promise<S>;
  environment?: Readonly<Record<string, string>>;
  issuer?: Issuer;
  /** It is the issuer itself. `self` in a variable of the environment stands for its URL. */
  isIssuer?: boolean;
  /** What it is called, where a test needs a name in place of an address. */
  host?: '127.0.0.1' | 'localhost';
}) {
  const { kafka, mongodb } = engines();
  const issuer = given ?? (await startIssuer());
  // The service has to know its own URL before it is made.
  const server = createServer();
  const { url: address, stop: stopListening } = await listen(server);
  const url = address.replace('127.0.0.1', host);
  const config = loadConfig(schema, {
    NODE_ENV: 'test',
    PORT: '0',
    REEVE_SELF_URL: url,
    REEVE_ISSUER: isIssuer ? url : issuer.url,
    KAFKA_BROKERS: kafka,
    KAFKA_GROUP_PREFIX: `${randomUUID().slice(0, 8)}.`,
    MONGODB_URI: mongodb,
    MONGODB_DATABASE: `${name}_${randomUUID().slice(0, 8)}`,
    REEVE_RATE_LIMITS: 'off',
    LOG_LEVEL: process.env['REEVE_TEST_LOG'] ?? 'silent',
    ...Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value === 'self' ? url : value])),
  }) as C;
  const service = await create(config, createLogger(name, config.LOG_LEVEL, process.stdout));
  server.on('request', service.app);
  await service.start();

  /** Sends JSON and reads it. */
  async function ask<T>(method: string, path: string, { as, body, headers = {} }: Ask = {}): Promise<Answer<T>> {
    const token = typeof as === 'object' ? await issuer.token(as, url) : as;
    const response = await fetch(new URL(path, url), {
      method,
      redirect: 'manual',
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
  }

  return {
    url,
    config,
    issuer,
    service,
    ask,
    async stop(): Promise<void> {
      await stopListening();
      await service.stop();
      if (!given) await issuer.stop();
    },
  };
}
