// `npm run bench`: every benchmark as a ratio to its floor, measured in the same run on the same engines. Writes
// .local/bench.json.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Children } from '@reeve/local/children';
import { commandLine } from '@reeve/local/command-line';
import { startEngines } from '@reeve/local/engines';
import { startKeycloak } from '@reeve/local/keycloak';
import { localDirectory, nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { run } from '@reeve/local/run';
import { type System, startSystem } from '@reeve/local/system';
import { benchVariables, engineVariables } from '@reeve/local/variables';
import { acceptsConnections, waitFor } from '@reeve/local/wait-for';
import { type IdentityProvider, startIdentityProvider } from '@reeve/testing/identity-provider';
import { type SamlIdentityProvider, startSamlIdentityProvider } from '@reeve/testing/saml';
import { Kafka, logLevel } from 'kafkajs';
import { assertionConsumer } from './acs.ts';
import { auditExport, auditSearch, auditVerification } from './audit-log.ts';
import type { Bench, BenchContext, CostBench } from './bench-context.ts';
import { botExchange } from './bot-exchange.ts';
import { assertionRedemption } from './identity-assertions.ts';
import { auditIngest } from './ingest.ts';
import { ingressAcceptance, ingressDuplicates } from './ingress.ts';
import { signInsBesideKeycloak } from './keycloak.ts';
import { liveSessions } from './live-sessions.ts';
import { localVerification } from './local-verification.ts';
import { oidcCallback } from './oidc.ts';
import { auditRemoval } from './removal.ts';
import { revocationReach } from './revocation-reach.ts';
import { samlResponse } from './saml.ts';
import { identityPaths } from './sign-in.ts';
import { sizing } from './sizing.ts';
import { tokensBesideKeycloak } from './tokens.ts';

type Processes = { children: { name: string; pid: number }[] };

const command = commandLine('npm run bench', {
  does:
    'Runs benchmarks and compares each with a floor of bare libraries, in the same run on the same engines. Writes ' +
    '.local/bench.json. All of them take some twenty minutes, less with REEVE_BENCH_EVENTS=20000; one needs Keycloak, ' +
    'which is fetched with Maven (a JDK, 17 or newer).',
  variables: [
    ['Engines (always processes, unless they are given)', engineVariables],
    ['Benchmarks', benchVariables],
  ],
}).argument('[names]', 'parts of the names of benchmarks, separated by commas: audit-ingest,ingress');
const [only] = command.parse().args;
const isAsked = ({ name }: { name: string }) => only === undefined || only.split(',').some(part => name.includes(part));
/** Before the others, which leave work behind. */
const costs: CostBench[] = [
  identityPaths,
  assertionConsumer,
  botExchange,
  assertionRedemption,
  revocationReach,
  sizing,
  liveSessions,
].filter(isAsked);
const benches: Bench[] = [
  ...signInsBesideKeycloak,
  ...tokensBesideKeycloak,
  oidcCallback,
  localVerification,
  samlResponse,
  ingressAcceptance,
  ingressDuplicates,
  auditIngest,
  // Before those that need all of the log, since it begins with a tenth of it.
  auditSearch,
  auditExport,
  auditVerification,
  // Last: what it removes goes on for a while.
  auditRemoval,
].filter(isAsked);

if (costs.length + benches.length === 0) command.error(`error: no benchmark has ${only} in its name`);

mkdirSync(join(localDirectory, 'bench'), { recursive: true });
const directory = mkdtempSync(join(localDirectory, 'bench/run-'));
const leave = () => rmSync(directory, { recursive: true, force: true });

await run({ directory, leave }, async ({ children, say, own }) => {
  say('building the services, since what is measured is what the images run …');
  await children.finish({
    name: 'build',
    layer: 'tests',
    command: 'npm',
    args: ['run', 'build'],
    cwd: repositoryRoot,
    env: process.env,
  });
  const ports = await freePorts();
  const engines = await own(
    startEngines({ children, ports, directory: join(directory, 'data'), environment: process.env, say }),
  );
  const identityProvider = await own(startIdentityProvider());
  const samlProvider = await own(startSamlIdentityProvider());
  const system = await own(
    startSystem({
      children,
      engines,
      ports,
      directory,
      environment: {
        REEVE_RATE_LIMITS: 'off',
        LOG_LEVEL: 'warn',
        REEVE_REMOVAL_DELAY_SECONDS: '1',
        REEVE_ALLOWED_PRIVATE_ORIGINS: `${identityProvider.issuer},${samlProvider.url}`,
      },
      built: true,
    }),
  );
  const context = contextOf(children, { system, identityProvider, samlProvider });
  const results: object[] = [];
  for (const bench of costs) results.push(...(await measureCosts(bench, context)));
  for (const bench of benches) results.push(await measure(bench, context));
  writeFileSync(
    join(localDirectory, 'bench.json'),
    `${JSON.stringify({ at: new Date().toISOString(), results }, null, 2)}\n`,
  );
  return 0;
});

type Measured = { system: System; identityProvider: IdentityProvider; samlProvider: SamlIdentityProvider };

function contextOf(children: Children, { system, identityProvider, samlProvider }: Measured): BenchContext {
  const { credentials } = system;
  const kafka = new Kafka({ brokers: [credentials.kafka], clientId: 'bench', logLevel: logLevel.NOTHING });
  const ofEach = (measured: (pid: number) => number) => {
    const { children: running } = JSON.parse(readFileSync(join(directory, 'processes.json'), 'utf8')) as Processes;
    return Object.fromEntries(running.map(({ name, pid }) => [name, measured(pid)]));
  };
  return {
    credentials,
    system,
    kafka,
    identityProvider,
    samlProvider,
    async startKeycloak(port) {
      const postgres = process.env['REEVE_BENCH_POSTGRES'];
      const say = (line: string) => console.log(line);
      const options = { port, say, ...(postgres === undefined ? {} : { postgres }) };
      return (await startKeycloak(children, options)).keycloak;
    },
    async startProcess(name, file, env, port) {
      const child = children.start({
        name,
        layer: 'tests',
        command: nodeBinary,
        args: ['--conditions=source', '--disable-warning=ExperimentalWarning', file],
        cwd: repositoryRoot,
        env: { ...process.env, KAFKA_BROKERS: credentials.kafka, MONGODB_URI: credentials.mongodb, ...env },
      });
      if (!(await waitFor(() => acceptsConnections(port), { withinMs: 20_000, abandoned: child.hasExited })))
        throw new Error(`${name}: ${child.lastWords()}`);
      return child;
    },
    async createTopic(name, partitions) {
      const admin = kafka.admin();
      await admin.connect();
      const topic = `${name}.${Date.now()}`;
      await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: partitions }] });
      await admin.disconnect();
      return topic;
    },
    processorMs() {
      const { user, system: inKernel } = process.cpuUsage();
      return { ...ofEach(processorMsOf), load: (user + inKernel) / 1_000 };
    },
    memoryMb: () => ofEach(memoryMbOf),
    topicBytes: () => topicBytesIn(join(directory, 'data/kafka')),
  };
}

/** Kafka keeps each partition in a directory `topic-number`, with its messages in files `*.log`. */
function topicBytesIn(logDirectory: string): Record<string, number> {
  const bytes: Record<string, number> = {};
  for (const file of globSync('*/*.log', { cwd: logDirectory })) {
    const topic = dirname(file).replace(/-\d+$/, '');
    bytes[topic] = (bytes[topic] ?? 0) + statSync(join(logDirectory, file)).size;
  }
  return bytes;
}

/** User and system time of a process, from fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
function processorMsOf(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

/** The proportional set size: pages that several processes share, such as Node's own, are divided among them. */
function memoryMbOf(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1_024;
}

async function measureCosts(bench: CostBench, context: BenchContext): Promise<object[]> {
  const { results, details } = await bench.run(context);
  for (const { what, perSecond, costs: spent, details: by } of results) {
    const told = spent.map(({ of, each, atMost }) => {
      const limit = atMost === undefined ? '' : ` (at most ${atMost}: ${each <= atMost ? 'met' : 'NOT met'})`;
      return `${each.toFixed(1)} ${of}${limit}`;
    });
    const rate = perSecond === undefined ? '' : `; ${Math.round(perSecond)}/s`;
    console.log(`${what}: ${told.join(', ')}${rate} ${JSON.stringify(by)}`);
  }
  console.log(`  ${JSON.stringify(details)}`);
  const measured = results.map(({ what, perSecond, costs: spent, details: by }) => ({
    name: what,
    perSecond,
    costs: spent,
    details: by,
  }));
  return [...measured, { name: bench.name, details }];
}

async function measure(bench: Bench, context: BenchContext) {
  const { ours, floor, details } = await bench.run(context);
  const ratio = ours / floor;
  const { run: _, ...about } = bench;
  const verdict = ratio < bench.wanted ? 'NOT met' : 'met';
  console.log(
    `${bench.name}: ${Math.round(ours)} ${bench.unit}, floor ${Math.round(floor)}, ratio ${ratio.toFixed(2)}, wanted ${bench.wanted.toFixed(2)}: ${verdict} ${JSON.stringify(details)}`,
  );
  console.log(`  the floor is ${bench.floorIs}`);
  return { ...about, ours, floor, ratio, verdict, details };
}
