// Chooses where Kafka and MongoDB come from, says which and why, and starts them.
import { mkdirSync } from 'node:fs';
import { type Child, type Children, createDeathWatch } from '../children.ts';
import { assertFree, type Ports } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections } from '../wait-for.ts';
import { dockerAnswers } from './docker.ts';
import type { Engines } from './engine.ts';
import { startKafka } from './kafka.ts';
import { findMongod, mongodUri, startMongod } from './mongod.ts';

type Options = {
  children: Children;
  ports: Ports;
  /** Where the engines keep their data. */
  directory: string;
  environment: NodeJS.ProcessEnv;
  say: (line: string) => void;
  /** How to start them as containers, where Docker answers. Without, they are processes: for a run that kills them. */
  containers?: (ports: Ports) => Promise<Engines>;
};

export async function startEngines(options: Options): Promise<Engines> {
  const { children, ports, directory, environment, say, containers } = options;
  mkdirSync(directory, { recursive: true });
  const givenKafka = environment['KAFKA_BROKERS'] || undefined;
  const givenMongo = environment['MONGODB_URI'] || undefined;
  await assertAnswers('Kafka', 'KAFKA_BROKERS', givenKafka?.split(','));
  await assertAnswers('MongoDB', 'MONGODB_URI', hostsOf(givenMongo));
  if (givenKafka) say(`Kafka: ${givenKafka} (KAFKA_BROKERS)`);
  if (givenMongo) say('MongoDB: given by MONGODB_URI');

  if (containers && !givenKafka && !givenMongo && (await dockerAnswers(environment))) {
    say('Kafka and MongoDB: containers, since a Docker engine answers (REEVE_ENGINES=processes for processes instead)');
    try {
      return await containers(ports);
    } catch (error) {
      say(`${(error as Error).message.trim()}: processes instead`);
    }
  }

  const { died, watch } = createDeathWatch();
  const run = (start: () => Promise<Child>) => keepRunning(async () => watch(await start()));

  async function kafkaProcess() {
    if (givenKafka) return null;
    await assertFree({ kafka: ports.kafka, kafkaController: ports.kafkaController });
    say('Kafka: Apache Kafka as a process, since KAFKA_BROKERS is not set and no Docker engine is used');
    return run(() =>
      startKafka(children, { port: ports.kafka, controllerPort: ports.kafkaController, directory, say }),
    );
  }

  async function mongoProcess() {
    if (givenMongo) return null;
    await assertFree({ mongodb: ports.mongodb });
    const { binary, how } = await findMongod(children, { environment, say });
    say(`MongoDB: mongod ${how}`);
    return run(() => startMongod(children, { binary, port: ports.mongodb, directory }));
  }

  // Both at once: neither needs the other, and the first start of each is slow.
  const [kafka, mongodb] = await Promise.all([kafkaProcess(), mongoProcess()]);
  return {
    kafka: givenKafka ?? `127.0.0.1:${ports.kafka}`,
    mongodb: givenMongo ?? mongodUri(ports.mongodb),
    restartKafka: kafka && kafka.restart,
    restartMongodb: mongodb && mongodb.restart,
    died,
    stop: async () => void (await Promise.all([kafka?.stop(), mongodb?.stop()])),
  };
}

/** A process that should be there until it is stopped. */
async function keepRunning(start: () => Promise<Child>) {
  let child = await start();
  return {
    async restart(whileAway?: () => Promise<void>) {
      await child.kill();
      await whileAway?.();
      child = await start();
    },
    stop: () => child.stop(),
  };
}

/** The hosts that a connection string names; none for one that is looked up in DNS. */
function hostsOf(uri: string | undefined): string[] | undefined {
  const hosts = /^mongodb:\/\/(?:[^@/]*@)?([^/?]+)/.exec(uri ?? '')?.[1];
  return hosts?.split(',').map(host => (host.includes(':') ? host : `${host}:27017`));
}

/** Throws SetupError when none of the given hosts answers. */
async function assertAnswers(engine: string, variable: string, hosts: string[] | undefined): Promise<void> {
  if (!hosts) return;
  const answers = await Promise.all(
    hosts.map(host =>
      acceptsConnections(Number(host.slice(host.lastIndexOf(':') + 1)), host.slice(0, host.lastIndexOf(':'))),
    ),
  );
  if (answers.includes(true)) return;
  throw new SetupError(
    `${engine} does not answer at ${hosts.join(', ')} (${variable}). Start it, or unset ${variable} to have one started here.`,
  );
}
