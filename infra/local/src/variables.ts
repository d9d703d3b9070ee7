// The environment of the commands that run on a developer's machine. Help texts and docs/configuration.md list it;
// that of the services is in their own schemas.
import { portVariables } from './ports.ts';

export type Variable = { name: string; does: string };

/** Where Kafka and MongoDB come from. */
export const engineVariables: Variable[] = [
  { name: 'KAFKA_BROKERS', does: 'host:port of a Kafka that is there already; none is started then' },
  { name: 'MONGODB_URI', does: 'a replica set of MongoDB 6.0 or newer that is there already; none is started then' },
  { name: 'REEVE_ENGINES', does: 'processes: no containers, even where a Docker engine answers' },
  { name: 'DOCKER_HOST', does: 'which Docker engine is asked' },
  { name: 'MONGOD_BINARY', does: 'the mongod to start, before the one on the PATH and those that can be fetched' },
  {
    name: 'REEVE_START_SECONDS',
    does: 'how long each engine and each service may take to start; default 180, for a machine that is busy',
  },
];

/** What moves the ports of `npm start`. Tests and benchmarks take ports that are free. */
export const portTable: Variable[] = portVariables.map(({ variable, port }) => ({
  name: variable,
  does: `default ${port}`,
}));

/** Of what `npm start` runs. */
export const systemVariables: Variable[] = [
  {
    name: 'REEVE_ALLOWED_PRIVATE_ORIGINS',
    does: 'exact origins, separated by commas, that sinks and connections may have on this machine: http://localhost:8088',
  },
  { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', does: 'where traces and metrics are sent; otherwise they are not' },
];

export const browserVariables: Variable[] = [
  { name: 'CHROMIUM_BINARY', does: 'the browser of the browser tests, if it is not where it usually is' },
];

/** Of `npm run test:peers` alone. */
export const peerVariables: Variable[] = [
  { name: 'CI', does: 'anything but false: a peer or a browser that `npm run test:peers` lacks is a failure' },
];

/** Of what builds images. */
export const imageVariables: Variable[] = [
  { name: 'REEVE_NPMRC', does: 'an npmrc for the building of images, where npm needs a mirror or a CA of its own' },
  { name: 'REEVE_DOCKER_BUILD', does: 'further arguments of `docker build`, as in: --network=host' },
];

/** Of `npm run test:cluster` alone. */
export const clusterVariables: Variable[] = [
  { name: 'KUBECONFIG', does: 'the cluster; without it every test of one is skipped' },
  {
    name: 'REEVE_CLUSTER_LOAD',
    does: 'a command that hands the cluster what `docker save` writes to it; images are built for it then',
  },
  { name: 'REEVE_CLUSTER_IMAGES', does: 'where images are already, in place of that: registry.example.com/reeve' },
  { name: 'REEVE_CLUSTER_TAG', does: 'their tag; default 0.1.0' },
  { name: 'REEVE_CLUSTER_KAFKA', does: 'image of Kafka; default apache/kafka:4.1.0' },
  { name: 'REEVE_CLUSTER_MONGODB', does: 'image of MongoDB; default mongo:8' },
  { name: 'REEVE_CLUSTER_KEEP', does: 'anything: the namespace stays when the run is over' },
];

export const testVariables: Variable[] = [
  ...browserVariables,
  { name: 'REEVE_TEST_LOG', does: 'the level at which services in integration tests log; default silent' },
  {
    name: 'REEVE_KEEP_LOGS',
    does: 'anything: the logs of the systems that test/src/chaos and runbooks start are kept',
  },
  { name: 'REEVE_STORM_EVENTS', does: 'how many webhooks the storm of test/src/chaos sends; default 10000' },
  { name: 'REEVE_CHAOS_INSTANCES', does: 'of each service in test/src/chaos and runbooks, at least; default 1' },
  { name: 'REEVE_LOAD_WEBHOOKS', does: 'how many a second there are while a runbook is followed; default 80' },
  { name: 'REEVE_LOAD_SIGN_INS', does: 'how many a second there are while a runbook is followed; default 3' },
];

export const benchVariables: Variable[] = [
  { name: 'REEVE_BENCH_EVENTS', does: 'how many events the audit log is filled with; default 1000000' },
  {
    name: 'REEVE_BENCH_POSTGRES',
    does: 'a PostgreSQL for Keycloak (jdbc:postgresql://…?user=…&password=…); in memory where left out',
  },
  {
    name: 'REEVE_BENCH_RECORD',
    does: 'anything: what sizing measures is what `reeve sizing` reckons with from now on',
  },
  { name: 'REEVE_BENCH_IDS', does: 'how many distinct ids are sent before memory is looked at; default 0' },
];

/** Lines of a name and what it does. */
export function variableTable(variables: readonly Variable[]): string {
  const width = Math.max(...variables.map(({ name }) => name.length)) + 2;
  return variables.map(({ name, does }) => `  ${name.padEnd(width)}${does}`).join('\n');
}
