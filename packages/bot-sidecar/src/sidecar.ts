// The process: listens, and ends when it is told to.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createApp } from './app.ts';
import { createAppToken } from './app-token.ts';
import type { Config } from './config.ts';
import { grantAtReeve } from './grant-at-reeve.ts';

const timeouts = { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 };
const closeIdleEveryMs = 100;

export function createSidecar(config: Config, log: Logger) {
  const appToken = createAppToken({ grant: grantAtReeve(config), now: Date.now });
  const server = createServer(timeouts, createApp({ config, appToken, log }));

  return {
    /** Gives the port. Rejects where it is taken. */
    async start(): Promise<number> {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(config.port, config.host, resolve);
      });
      return (server.address() as AddressInfo).port;
    },

    /** What is asked already is answered. */
    async stop(): Promise<void> {
      const closeIdle = setInterval(() => server.closeIdleConnections(), closeIdleEveryMs);
      await new Promise(resolve => server.close(resolve));
      clearInterval(closeIdle);
    },
  };
}
