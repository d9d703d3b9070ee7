// Apache Kafka as a process on this machine, with its jars from Maven Central.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, type Children, notUp } from '../children.ts';
import { acceptsConnections, startWithinMs, waitFor } from '../wait-for.ts';
import { fetchByMaven, fetchedInto } from './maven.ts';

const allJars = join(fetchedInto('kafka'), '*');
const jvm = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];

type Say = (line: string) => void;

const fetchJars = (children: Children, say: Say) =>
  fetchByMaven(
    children,
    {
      folder: 'kafka',
      name: 'Apache Kafka',
      goal: 'copy-dependencies',
      instead: 'Docker or KAFKA_BROKERS do as well, but not for a test that starts a broker of its own.',
    },
    say,
  );

async function up(child: Child, port: number): Promise<void> {
  if (await waitFor(() => acceptsConnections(port), { withinMs: startWithinMs, abandoned: child.hasExited })) return;
  await child.kill();
  throw notUp(child);
}

/** One user, who is let in by SASL/PLAIN over TLS, and by SCRAM once `allowScram` was called. */
export type Secured = { username: string; password: string; key: string; certificate: string };

const login = 'org.apache.kafka.common.security';
const plainLogin = `${login}.plain.PlainLoginModule required`;
const inline = (pem: string) => pem.trim().replaceAll(/\r?\n/g, '\\n');

/** What a broker, or a client, shows of itself and trusts, in PEM. */
export function tlsProperties({ key, certificate, trusted }: { key?: string; certificate?: string; trusted: string }) {
  return [
    ...(key === undefined ? [] : ['ssl.keystore.type=PEM', `ssl.keystore.key=${inline(key)}`]),
    ...(certificate === undefined ? [] : [`ssl.keystore.certificate.chain=${inline(certificate)}`]),
    'ssl.truststore.type=PEM',
    `ssl.truststore.certificates=${inline(trusted)}`,
  ];
}

/** Lets a user in by SASL/PLAIN, and those by SCRAM whom `allowScram` named, at the listener of that name. */
export function saslProperties(listener: string, { username, password }: { username: string; password: string }) {
  const prefix = `listener.name.${listener}`;
  const scram = `${login}.scram.ScramLoginModule required;`;
  const plain = `${plainLogin} username="${username}" password="${password}" user_${username}="${password}";`;
  return [
    `${prefix}.plain.sasl.jaas.config=${plain}`,
    `${prefix}.scram-sha-256.sasl.jaas.config=${scram}`,
    `${prefix}.scram-sha-512.sasl.jaas.config=${scram}`,
  ];
}

function securedListener({ key, certificate, ...user }: Secured): string[] {
  return [
    'sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    'sasl.mechanism.inter.broker.protocol=PLAIN',
    ...saslProperties('sasl_ssl', user),
    ...tlsProperties({ key, certificate, trusted: certificate }),
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
    properties: further = [],
    jvm: ofJvm = [],
  }: {
    port: number;
    controllerPort: number;
    directory: string;
    say: Say;
    secured?: Secured;
    /** Lines of Kafka's configuration that win over those made here. */
    properties?: readonly string[];
    /** Arguments of the JVM. */
    jvm?: readonly string[];
  },
): Promise<Child> {
  await fetchJars(children, say);
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
      ...further,
    ].join('\n'),
  );
  const child = children.start({
    name: 'kafka',
    layer: 'engines',
    command: 'java',
    args: [
      ...jvm,
      ...ofJvm,
      '-Xmx512m',
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-cp',
      allJars,
      'kafka.Kafka',
      properties,
    ],
    cwd: directory,
    env: process.env,
  });
  await up(child, port);
  return child;
}

/** What `kafka-configs.sh` does. The cluster remembers it. Without a certificate the listener is a plain one. */
export async function allowScram(
  { username, password, certificate }: Pick<Secured, 'username' | 'password'> & { certificate?: string },
  { port, directory }: { port: number; directory: string },
): Promise<void> {
  const properties = join(directory, 'client.properties');
  const secured = [
    'security.protocol=SASL_SSL',
    'sasl.mechanism=PLAIN',
    `sasl.jaas.config=${plainLogin} username="${username}" password="${password}";`,
  ];
  const lines = certificate === undefined ? [] : [...secured, ...tlsProperties({ trusted: certificate })];
  writeFileSync(properties, lines.join('\n'));
  const command = ['-cp', allJars, 'kafka.admin.ConfigCommand'];
  const cluster = ['--bootstrap-server', `127.0.0.1:${port}`, '--command-config', properties];
  const user = ['--entity-type', 'users', '--entity-name', username];
  for (const mechanism of ['SCRAM-SHA-256', 'SCRAM-SHA-512']) {
    const change = ['--alter', '--add-config', `${mechanism}=[password=${password}]`];
    await promisify(execFile)('java', [...jvm, ...command, ...cluster, ...change, ...user]);
  }
}
