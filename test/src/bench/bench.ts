// `npm run bench`: every benchmark as a ratio to its floor, measured in the same run on the same engines. Writes .local/bench.json.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createChildren } from '@reeve/local/children';
import type { Engines } from '@reeve/local/engine';
import { startEngines } from '@reeve/local/engines';
import { localDirectory, nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { type System, startSystem } from '@reeve/local/system';
import { acceptsConnections, waitFor } from '@reeve/local/wait-for';
import { Kafka, logLevel } from 'kafkajs';
import { auditExport, auditSearch, auditVerification } from './audit-log.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { auditIngest } from './ingest.ts';
import { ingressAcceptance, ingressDuplicates } from './ingress.ts';
import { auditRemoval } from './removal.ts';

type Processes = { children: { name: string; pid: number }[] };

const only = process.argv[2];
const benches: Bench[] = [
  ingressAcceptance,
  ingressDuplicates,
  auditIngest,
  // Before those that need all of the log, since it begins with a tenth of it.
  auditSearch,
  auditExport,
  auditVerification,
  // Last: what it removes goes on for a while.
  auditRemoval,
].filter(({ name }) => only === undefined || only.split(',').some(part => name.includes(part)));

mkdirSync(join(localDirectory, 'bench'), { recursive: true });
const directory = mkdtempSync(join(localDirectory, 'bench/run-'));
const children = createChildren(directory);
let engines: Engines | undefined;
let system: System | undefined;
const stop = async () => {
  await system?.stop();
  await engines?.stop();
  await children.stopAll();
  rmSync(directory, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => void stop().then(() => process.exit(130)));

console.log('reeve: building the services, since what is measured is what the images run …');
execFileSync('npm', ['run', '--silent', 'build', '--', '--output-logs=errors-only'], {
  cwd: repositoryRoot,
  stdio: 'inherit',
});
const ports = await freePorts();
engines = await startEngines({
  children,
  ports,
  directory: join(directory, 'data'),
  environment: process.env,
  say: console.log,
  processesOnly: true,
});
system = await startSystem({
  children,
  engines,
  ports,
  directory,
  environment: { REEVE_RATE_LIMITS: 'off', LOG_LEVEL: 'warn', REEVE_REMOVAL_DELAY_SECONDS: '1' },
  built: true,
});
const { credentials } = system;
const kafka = new Kafka({ brokers: [credentials.kafka], clientId: 'bench', logLevel: logLevel.NOTHING });
const context: BenchContext = {
  credentials,
  system,
  kafka,
  async startProcess(name, file, env, port) {
    const child = children.start({
      name,
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
    const { children: running } = JSON.parse(readFileSync(join(directory, 'processes.json'), 'utf8')) as Processes;
    return {
      ...Object.fromEntries(running.map(({ name, pid }) => [name, processorMsOf(pid)])),
      load: (user + inKernel) / 1_000,
    };
  },
};

/** User and system time of a process, from fields 14 and 15 of /proc/<pid>/stat, in ticks of 10 ms. */
function processorMsOf(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}

const results = [];
try {
  for (const bench of benches) {
    const { ours, floor, details } = await bench.run(context);
    const ratio = ours / floor;
    const { run: _, ...about } = bench;
    const verdict = ratio < bench.wanted ? 'NOT met' : 'met';
    console.log(
      `${bench.name}: ${Math.round(ours)} ${bench.unit}, floor ${Math.round(floor)}, ratio ${ratio.toFixed(2)}, wanted ${bench.wanted.toFixed(2)}: ${verdict} ${JSON.stringify(details)}`,
    );
    console.log(`  the floor is ${bench.floorIs}`);
    results.push({ ...about, ours, floor, ratio, verdict, details });
  }
} finally {
  await stop();
}
writeFileSync(
  join(localDirectory, 'bench.json'),
  `${JSON.stringify({ at: new Date().toISOString(), results }, null, 2)}\n`,
);
