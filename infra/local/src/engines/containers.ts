// Engines for a test run as containers of their own, by testcontainers, where a Docker engine answers.
import { GenericContainer, Wait } from 'testcontainers';
import type { Ports } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections, startWithinMs, waitFor, whereItIsSlow } from '../wait-for.ts';
import type { Engines } from './engine.ts';
import { becomePrimary, mongodUri, replicaSet } from './mongod.ts';

/** The ports are given, since a broker has to advertise the one it will be reached at. */
export async function startContainerEngines(ports: Ports): Promise<Engines> {
  const kafka = new GenericContainer('apache/kafka:4.1.0')
    .withExposedPorts({ container: 9092, host: ports.kafka })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${ports.kafka}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    })
    .withStartupTimeout(startWithinMs)
    .withWaitStrategy(Wait.forListeningPorts());
  // The same port inside: the member of the replica set has one name, which has to lead there from both sides.
  const mongo = new GenericContainer('mongo:8')
    .withExposedPorts({ container: ports.mongodb, host: ports.mongodb })
    .withCommand(['--replSet', replicaSet, '--bind_ip_all', '--port', String(ports.mongodb)])
    .withStartupTimeout(startWithinMs)
    .withWaitStrategy(Wait.forListeningPorts());
  const [broker, store] = await startBoth(kafka, mongo);
  const takesWrites = () => becomePrimary(`127.0.0.1:${ports.mongodb}`);
  const engines: Engines = {
    kafka: `127.0.0.1:${ports.kafka}`,
    mongodb: mongodUri(ports.mongodb),
    async restartKafka() {
      await broker.restart({ timeout: 0 });
      await within('Kafka', () => acceptsConnections(ports.kafka));
    },
    async restartMongodb() {
      await store.restart({ timeout: 0 });
      await within('MongoDB', takesWrites);
    },
    died: new Promise<never>(() => undefined),
    async stop() {
      await Promise.all([broker.stop(), store.stop()]);
    },
  };
  await within('MongoDB', takesWrites).catch(async (error: unknown) => {
    await engines.stop();
    throw error;
  });
  return engines;
}

/** Both or neither: one that is left alone would keep its port. */
async function startBoth(...containers: [GenericContainer, GenericContainer]) {
  const started = await Promise.allSettled(containers.map(container => container.start()));
  const failed = started.find(({ status }) => status === 'rejected');
  const running = started.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  const [broker, store] = running;
  if (broker && store) return [broker, store] as const;
  await Promise.all(running.map(one => one.stop()));
  throw failed?.status === 'rejected' ? failed.reason : new Error('no container was started');
}

async function within(engine: string, isUp: () => Promise<boolean>): Promise<void> {
  if (await waitFor(isUp, { withinMs: startWithinMs })) return;
  throw new SetupError(`${engine} in its container did not answer ${whereItIsSlow}`);
}
