// Chooses where Kafka and MongoDB come from, says which and why, and starts them.
import { mkdirSync } from 'node:fs';
import type { Child, Children } from '../children.ts';
import { assertFree, type Ports } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections } from '../wait-for.ts';
import { dockerAnswers, startComposeEngines } from './docker.ts';
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
  /** Leave Docker out: for a run that has to kill its engines. */
  processesOnly?: boolean;
};

export async function startEngines(options: Options): Promise<Engines> {
  const { children, ports, directory, environment, say, processesOnly = false } = options;
  mkdirSync(directory, { recursive: true });
  const givenKafka = environment['KAFKA_BROKERS'];
  const givenMongo = environment['MONGODB_URI'];
  await assertAnswers('Kafka', 'KAFKA_BROKERS', givenKafka?.split(','));
  await assertAnswers('MongoDB', 'MONGODB_URI', hostsOf(givenMongo));
  if (givenKafka) say(`Kafka: ${givenKafka} (KAFKA_BROKERS)`);
  if (givenMongo) say('MongoDB: given by MONGODB_URI');

  if (!givenKafka && !givenMongo && !processesOnly && (await dockerAnswers())) {
    say('Kafka and MongoDB: containers, since a Docker engine answers (REEVE_ENGINES=processes for processes instead)');
    try {
      return await startComposeEngines(ports);
    } catch (error) {
      say(`${(error as Error).message}; processes instead`);
    }
  }

  const { promise: died, reject: reportDeath } = Promise.withResolvers<never>();
  died.catch(() => undefined);
  const run = (start: () => Promise<Child>) => keepRunning(start, reportDeath);

  async function kafkaProcess() {
    if (givenKafka) return null;
    await assertFree({ kafka: ports.kafka, kafkaController: ports.kafkaController });
    say('Kafka: Apache Kafka as a process, since neither KAFKA_BROKERS nor a Docker engine is there');
    return run(() =>
      startKafka(children, { port: ports.kafka, controllerPort: ports.kafkaController, directory, say }),
    );
  }

  async function mongoProcess() {
    if (givenMongo) return null;
    await assertFree({ mongodb: ports.mongodb });
    const { binary, how } = await findMongod(environment, say);
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
async function keepRunning(start: () => Promise<Child>, reportDeath: (error: SetupError) => void) {
  const expected = new Set<Child>();

  async function watched(): Promise<Child> {
    const started = await start();
    void started.exited.then(code => {
      if (!expected.has(started))
        reportDeath(new SetupError(`${started.name} ended (code ${code}); its log is ${started.logFile}`));
    });
    return started;
  }

  let child = await watched();
  return {
    async restart() {
      expected.add(child);
      await child.kill();
      child = await watched();
    },
    stop() {
      expected.add(child);
      return child.stop();
    },
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
