// Chooses where Kafka and MongoDB come from, says which and why, and starts them.
import { mkdirSync } from 'node:fs';
import type { Child, Children } from '../children.ts';
import { assertFree, type Ports } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections } from '../wait-for.ts';
import { dockerAnswers, startComposeEngines } from './docker.ts';
import { startKafka, startMongoStandIn } from './java.ts';
import { findMongod, startMongod } from './mongod.ts';

export type Engines = {
  kafka: string;
  mongodb: string;
  /** What stores: a real server, or the stand-in that scans. Benchmarks say so. */
  store: 'mongodb' | 'stand-in';
  /** Kills the broker and starts it again on the same data; null where it is not ours to kill. */
  restartKafka: (() => Promise<void>) | null;
  /** Rejects with a SetupError when an engine of ours ends by itself. */
  died: Promise<never>;
  stop(): Promise<void>;
};

type Options = {
  children: Children;
  ports: Ports;
  /** Where the engines keep their data. */
  directory: string;
  environment: NodeJS.ProcessEnv;
  say: (line: string) => void;
  /** Leave Docker out: for a run that has to kill its broker. */
  processesOnly?: boolean;
};

export async function startEngines({
  children,
  ports,
  directory,
  environment,
  say,
  processesOnly = false,
}: Options): Promise<Engines> {
  mkdirSync(directory, { recursive: true });
  const givenKafka = environment['KAFKA_BROKERS'];
  const givenMongo = environment['MONGODB_URI'];
  const stops: (() => Promise<unknown>)[] = [];
  const needed = { kafka: !givenKafka, mongodb: !givenMongo };
  const kafka = givenKafka ?? `127.0.0.1:${ports.kafka}`;
  const mongodb = givenMongo ?? `mongodb://127.0.0.1:${ports.mongodb}`;
  let store: Engines['store'] = 'mongodb';
  const { promise: died, reject: reportDeath } = Promise.withResolvers<never>();
  died.catch(() => undefined);
  const expected = new Set<Child>();
  let restartKafka: Engines['restartKafka'] = null;
  await assertAnswers('Kafka', 'KAFKA_BROKERS', givenKafka?.split(','));
  await assertAnswers('MongoDB', 'MONGODB_URI', hostsOf(givenMongo));
  if (givenKafka) say(`Kafka: ${givenKafka} (KAFKA_BROKERS)`);
  if (givenMongo) say('MongoDB: given by MONGODB_URI');

  if ((needed.kafka || needed.mongodb) && !processesOnly && (await dockerAnswers())) {
    if (needed.kafka && needed.mongodb) {
      say(
        'Kafka and MongoDB: containers, since a Docker engine answers (REEVE_ENGINES=processes for processes instead)',
      );
      try {
        stops.push(await startComposeEngines({ kafkaPort: ports.kafka, mongodbPort: ports.mongodb }));
        return { kafka, mongodb: `${mongodb}/?directConnection=true`, store, restartKafka, died, stop: stopAll };
      } catch (error) {
        say(`${(error as Error).message}; processes instead`);
      }
    }
  }
  // Both at once: neither needs the other, and the first start of each is slow.
  const [kafkaChild, mongo] = await Promise.all([
    needed.kafka ? kafkaProcess() : null,
    needed.mongodb ? mongoProcess() : null,
  ]);
  if (kafkaChild) {
    let child = kafkaChild;
    stops.push(() => {
      expected.add(child);
      return child.stop();
    });
    restartKafka = async () => {
      expected.add(child);
      await child.kill();
      child = await kafkaProcess(false);
    };
  }
  if (mongo) {
    store = mongo.store;
    stops.push(() => {
      expected.add(mongo.child);
      return mongo.child.stop();
    });
  }
  return { kafka, mongodb, store, restartKafka, died, stop: stopAll };

  function watch(child: Child): Child {
    void child.exited.then(code => {
      if (!expected.has(child))
        reportDeath(new SetupError(`${child.name} ended (code ${code}); its log is ${child.logFile}`));
    });
    return child;
  }

  async function kafkaProcess(first = true): Promise<Child> {
    if (first) {
      await assertFree({ kafka: ports.kafka, kafkaController: ports.kafkaController });
      say('Kafka: Apache Kafka as a process, since neither KAFKA_BROKERS nor a Docker engine is there');
    }
    return watch(
      await startKafka(children, { port: ports.kafka, controllerPort: ports.kafkaController, directory, say }),
    );
  }

  async function mongoProcess(): Promise<{ child: Child; store: Engines['store'] }> {
    await assertFree({ mongodb: ports.mongodb });
    const found = await findMongod(environment);
    if (found) {
      say(`MongoDB: mongod ${found.how}`);
      return {
        child: watch(await startMongod(children, { binary: found.binary, port: ports.mongodb, directory })),
        store: 'mongodb',
      };
    }
    say(
      'MongoDB: a stand-in (mongo-java-server), since no mongod could be had. For development only: it scans where MongoDB would use an index.',
    );
    return {
      child: watch(await startMongoStandIn(children, { port: ports.mongodb, directory, say })),
      store: 'stand-in',
    };
  }

  async function stopAll(): Promise<void> {
    await Promise.all(stops.map(stop => stop()));
  }
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
