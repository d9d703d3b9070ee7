// `npm test`: engines and one running system for all suites, then Jest, then the count alone on its line. Arguments go to Jest:
// `npm test -- packages/store`.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import colors from 'picocolors';
import { createChildren } from '../children.ts';
import { startContainerEngines } from '../engines/containers.ts';
import { dockerAnswers } from '../engines/docker.ts';
import type { Engines } from '../engines/engine.ts';
import { startEngines } from '../engines/engines.ts';
import { localDirectory, nodeBinary, repositoryRoot } from '../paths.ts';
import { freePorts } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import { startSystem } from '../system.ts';

type Results = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numRuntimeErrorTestSuites: number;
};

const say = (line: string) => console.log(`${colors.dim('reeve:')} ${line}`);
mkdirSync(join(localDirectory, 'test'), { recursive: true });
const directory = mkdtempSync(join(localDirectory, 'test/run-'));
const children = createChildren(directory);
const jestArguments = process.argv.slice(2);

let engines: Engines | undefined;
let system: Awaited<ReturnType<typeof startSystem>> | undefined;
let ending: Promise<void> | undefined;
function end(code: number): Promise<void> {
  ending ??= (async () => {
    await system?.stop();
    await engines?.stop();
    await children.stopAll();
    if (code === 0) rmSync(directory, { recursive: true, force: true });
    else say(`logs of this run: ${directory}/logs`);
    process.exit(code);
  })();
  return ending;
}
process.on('SIGINT', () => void end(130));
process.on('SIGTERM', () => void end(143));

function runJest(environment: Record<string, string>): Promise<number> {
  const results = environment['REEVE_TEST_RESULTS'] ?? '';
  return new Promise(resolve => {
    const jest = spawn(
      nodeBinary,
      [
        '--experimental-vm-modules',
        '--disable-warning=ExperimentalWarning',
        join(repositoryRoot, 'node_modules/jest/bin/jest.js'),
        '--runInBand',
        '--json',
        `--outputFile=${results}`,
        ...jestArguments,
      ],
      { cwd: repositoryRoot, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } },
    );
    jest.on('exit', code => resolve(code ?? 1));
    system?.died.catch((error: unknown) => {
      console.error(`${colors.red('reeve:')} ${String(error)}`);
    });
  });
}

try {
  const ports = await freePorts();
  const given = process.env['KAFKA_BROKERS'] !== undefined || process.env['MONGODB_URI'] !== undefined;
  if (!given && (await dockerAnswers())) {
    say('engines: containers, since a Docker engine answers (REEVE_ENGINES=processes for processes instead)');
    engines = await startContainerEngines(ports).catch((error: unknown) => {
      say(
        `the containers could not be started (${error instanceof Error ? error.message.trim() : String(error)}): processes instead`,
      );
      return undefined;
    });
  }
  engines ??= await startEngines({
    children,
    ports,
    directory: join(directory, 'data'),
    environment: process.env,
    say,
    processesOnly: true,
  });
  say('starting the system under test …');
  // What waits for a week elsewhere waits long enough here to be seen waiting.
  // Where a test may start a Kafka of somebody else's.
  const { kafka: elsewhere, kafkaController: elsewhereController } = await freePorts();
  const environment = {
    REEVE_RATE_LIMITS: 'off',
    REEVE_REMOVAL_DELAY_SECONDS: '3',
    REEVE_ALLOWED_PRIVATE_ORIGINS: `tls://127.0.0.1:${elsewhere}`,
  };
  system = await startSystem({
    children,
    engines,
    ports,
    directory,
    databasePrefix: `test_${Date.now()}`,
    environment,
  });
  const credentials = join(directory, 'credentials.json');
  writeFileSync(credentials, JSON.stringify(system.credentials), { mode: 0o600 });
  const results = join(directory, 'results.json');
  const code = await runJest({
    REEVE_TEST_CREDENTIALS: credentials,
    REEVE_TEST_RESULTS: results,
    REEVE_TEST_KAFKA: engines.kafka,
    REEVE_TEST_MONGODB: engines.mongodb,
    REEVE_TEST_ELSEWHERE: `${elsewhere} ${elsewhereController}`,
  });
  const { numPassedTests, numFailedTests, numPendingTests, numRuntimeErrorTestSuites } = JSON.parse(
    readFileSync(results, 'utf8'),
  ) as Results;
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}`);
  await end(code === 0 && failed === 0 ? 0 : 1);
} catch (error) {
  console.error(
    `${colors.red('reeve:')} ${error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error)}`,
  );
  await end(1);
}
