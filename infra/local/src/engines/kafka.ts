// Apache Kafka as a process on this machine, with its jars from Maven Central.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Child, Children } from '../children.ts';
import { localDirectory, repositoryRoot } from '../paths.ts';
import { SetupError } from '../setup-error.ts';
import { acceptsConnections, waitFor } from '../wait-for.ts';

const pom = join(repositoryRoot, 'infra/local/engines/kafka/pom.xml');
const jarDirectory = join(localDirectory, 'engines/kafka');
const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
const upWithinMs = 60_000;

type Say = (line: string) => void;

function has(command: string): boolean {
  try {
    execFileSync(command, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Throws SetupError for a command that is not there. */
function need(command: string): void {
  if (has(command)) return;
  throw new SetupError(
    `${command} is not on the PATH. Install a JDK (17 or newer) and Maven, or start Docker, or set KAFKA_BROKERS.`,
  );
}

/** The directory with Kafka's jars, fetched on first use. */
function jars(say: Say): string {
  need('java');
  const stamp = join(jarDirectory, '.fetched');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(pom, 'utf8')) return jarDirectory;
  need('mvn');
  say('fetching Apache Kafka from Maven Central …');
  // Whatever another version of the list brought would be on the class path too.
  rmSync(jarDirectory, { recursive: true, force: true });
  mkdirSync(jarDirectory, { recursive: true });
  try {
    execFileSync('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jarDirectory}`], {
      stdio: 'pipe',
    });
  } catch {
    throw new SetupError(
      `Maven could not fetch the jars of ${pom}. Check the network or Maven's settings, or start Docker, or set KAFKA_BROKERS.`,
    );
  }
  writeFileSync(stamp, readFileSync(pom, 'utf8'));
  return jarDirectory;
}

async function up(child: Child, port: number): Promise<void> {
  if (await waitFor(() => acceptsConnections(port), { withinMs: upWithinMs, abandoned: child.hasExited })) return;
  await child.kill();
  throw new SetupError(
    `${child.name} did not start on port ${port}; its log is ${child.logFile}:\n${child.lastWords()}`,
  );
}

/** One user, who is let in by SASL/PLAIN over TLS, and by SCRAM once `allowScram` was called. */
export type Secured = { username: string; password: string; key: string; certificate: string };

const plainLogin = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
const inline = (pem: string) => pem.trim().replaceAll(/\r?\n/g, '\\n');

function securedListener({ username, password, key, certificate }: Secured): string[] {
  const login = `${plainLogin} username="${username}" password="${password}" user_${username}="${password}";`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  return [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol=PLAIN',
    `listener.name.sasl_ssl.plain.sasl.jaas.config=${login}`,
    `listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config=${scram}`,
    `listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=${scram}`,
    'ssl.keystore.type=PEM',
    `ssl.keystore.key=${inline(key)}`,
    `ssl.keystore.certificate.chain=${inline(certificate)}`,
    'ssl.truststore.type=PEM',
    `ssl.truststore.certificates=${inline(certificate)}`,
  ];
}

export async function startKafka(
  children: Children,
  {
    port,
    controllerPort,
    directory,
    say,
    secured,
  }: { port: number; controllerPort: number; directory: string; say: Say; secured?: Secured },
): Promise<Child> {
  const data = join(directory, 'kafka');
  mkdirSync(data, { recursive: true });
  // What Kafka's StorageTool leaves for one node with a fixed quorum: this file and nothing else.
  const meta = join(data, 'meta.properties');
  if (!existsSync(meta))
    writeFileSync(
      meta,
      'version=1\ncluster.id=5L6g3nShT-eMCtK--X86sw\nnode.id=1\ndirectory.id=W4pO0qmcM-gQe9zcCG4lCw\n',
    );
  const listener = secured ? 'SASL_SSL' : 'PLAINTEXT';
  const properties = join(directory, 'kafka.properties');
  writeFileSync(
    properties,
    [
      'process.roles=broker,controller',
      'node.id=1',
      `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
      ...(secured ? securedListener(secured) : []),
      `listeners=${listener}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
      `advertised.listeners=${listener}://127.0.0.1:${port}`,
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL',
      `inter.broker.listener.name=${listener}`,
      'controller.listener.names=CONTROLLER',
      `log.dirs=${data}`,
      'auto.create.topics.enable=false',
      'offsets.topic.replication.factor=1',
      'offsets.topic.num.partitions=4',
      'transaction.state.log.replication.factor=1',
      'transaction.state.log.min.isr=1',
      'transaction.state.log.num.partitions=4',
      'group.initial.rebalance.delay.ms=0',
      // A lone node need not wait for others to vote, and after a kill its old session should end soon.
      'controller.quorum.election.timeout.ms=100',
      'controller.quorum.election.backoff.max.ms=100',
      'broker.session.timeout.ms=1000',
      'broker.heartbeat.interval.ms=200',
      'log.cleaner.dedupe.buffer.size=8388608',
    ].join('\n'),
  );
  const child = children.start({
    name: 'kafka',
    command: 'java',
    args: [
      ...jvm,
      '-Xmx512m',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      join(jars(say), '*'),
      'kafka.Kafka',
      properties,
    ],
    cwd: directory,
    env: process.env,
  });
  await up(child, port);
  return child;
}

/** What `kafka-configs.sh` does. The cluster remembers it. */
export function allowScram(
  { username, password, certificate }: Secured,
  { port, directory, say }: { port: number; directory: string; say: Say },
): void {
  const properties = join(directory, 'client.properties');
  writeFileSync(
    properties,
    [
      'security.protocol=SASL_SSL',
      'sasl.mechanism=PLAIN',
      `sasl.jaas.config=${plainLogin} username="${username}" password="${password}";`,
      'ssl.truststore.type=PEM',
      `ssl.truststore.certificates=${inline(certificate)}`,
    ].join('\n'),
  );
  const command = ['-cp', join(jars(say), '*'), 'kafka.admin.ConfigCommand'];
  const cluster = ['--bootstrap-server', `127.0.0.1:${port}`, '--command-config', properties];
  const user = ['--entity-type', 'users', '--entity-name', username];
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const change = ['--alter', '--add-config', `${mechanism}=[password=${password}]`];
    execFileSync('java', [...jvm, ...command, ...cluster, ...change, ...user], { stdio: 'pipe' });
  }
}
