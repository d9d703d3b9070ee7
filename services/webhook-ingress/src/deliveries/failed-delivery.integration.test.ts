// A delivery that fails through no fault of its sender: an instance that has no store.
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { createLogger, loadConfig } from '@reeve/service-kit';
import { listen, vaultKeyFile } from '@reeve/testing';
import { configSchema } from '../config.ts';
import { createService } from '../service.ts';

const lines: string[] = [];
let ingress: { url: string; stop(): Promise<void> };

beforeAll(async () => {
  const keyFile = vaultKeyFile();
  const config = loadConfig(configSchema, {
    NODE_ENV: 'test',
    PORT: '0',
    REEVE_SELF_URL: 'http://ingress.test',
    REEVE_ISSUER: 'http://issuer.test',
    KAFKA_BROKERS: '127.0.0.1:1',
    MONGODB_URI: 'mongodb://127.0.0.1:1',
    MONGODB_DATABASE: 'none',
    REEVE_VAULT_KEY_FILE: keyFile.path,
  });
  const log = createLogger('webhook-ingress', 'info', { write: line => void lines.push(line) });
  ingress = await listen(createServer(createService(config, log).app));
  keyFile.remove();
});
afterAll(() => ingress.stop());

test('is to be sent again, and is the one line in the log, under the id that the sender has', async () => {
  const send = (endpointId: string) => fetch(`${ingress.url}/hooks/${endpointId}`, { method: 'POST', body: '{}' });
  // The control: what is refused is no failure.
  expect((await send('none')).status).toBe(404);
  const failed = await send(newId('endpoint'));
  expect([failed.status, failed.headers.get('retry-after')]).toEqual([503, '2']);
  expect(lines.map(line => JSON.parse(line) as unknown)).toEqual([
    expect.objectContaining({
      level: 'error',
      msg: 'delivery failed',
      code: 'dependency_unavailable',
      requestId: failed.headers.get('reeve-request-id'),
    }),
  ]);
});
