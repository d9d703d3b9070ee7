// A broker for one test file alone, that may be held up, killed and started again.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChildren } from '../children.ts';
import { freePort } from '../ports.ts';
import { startProxy } from '../tcp-proxy.ts';
import { allowScram, startKafka } from './kafka.ts';

type Options = {
  /** Lines of Kafka's configuration. */
  properties?: readonly string[];
  /** Besides the plain one, which is behind the proxy: the protocol of each by its name. They are at `localhost`. */
  listeners?: Record<string, 'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'>;
  /** Arguments of the JVM. */
  jvm?: readonly string[];
};

/** Throws SetupError where there is no Java. */
export async function startOwnKafka({ properties = [], listeners = {}, jvm = [] }: Options = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-kafka-'));
  const children = createChildren(directory);
  const [port, controllerPort] = [await freePort(), await freePort()];
  const proxy = await startProxy(port);
  const further = [];
  for (const [name, protocol] of Object.entries(listeners)) further.push({ name, protocol, port: await freePort() });
  const listening = [
    `PLAINTEXT://127.0.0.1:${port}`,
    `CONTROLLER://127.0.0.1:${controllerPort}`,
    ...further.map(one => `${one.name}://127.0.0.1:${one.port}`),
  ];
  const advertised = [
    `PLAINTEXT://127.0.0.1:${proxy.port}`,
    ...further.map(one => `${one.name}://localhost:${one.port}`),
  ];
  const protocols = [
    'PLAINTEXT:PLAINTEXT',
    'CONTROLLER:PLAINTEXT',
    ...further.map(one => `${one.name}:${one.protocol}`),
  ];
  const say = () => undefined;
  const start = () =>
    startKafka(children, {
      port,
      controllerPort,
      directory,
      say,
      jvm,
      properties: [
        `listeners=${listening.join(',')}`,
        `advertised.listeners=${advertised.join(',')}`,
        `listener.security.protocol.map=${protocols.join(',')}`,
        ...properties,
      ],
    });
  let broker = await start().catch((error: unknown) => {
    proxy.stop();
    throw error;
  });

  return {
    address: `127.0.0.1:${proxy.port}`,
    ports: Object.fromEntries(further.map(one => [one.name, one.port])),
    proxy,
    allowScram: (user: { username: string; password: string }) => allowScram(user, { port, directory }),
    kill: () => broker.kill(),
    async start() {
      broker = await start();
    },
    async stop() {
      proxy.stop();
      await children.stopAll();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
