// `npm test`: what the tests need and nothing else, then Jest, then the count alone on its line.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Child, type ChildSpec, listsVariable } from '../children.ts';
import { jestArgumentsOf } from '../command-line.ts';
import type { Engines } from '../engines/engine.ts';
import { startEngines } from '../engines/engines.ts';
import { jest, type Need, needOf } from '../jest.ts';
import { endLeftovers } from '../leftovers.ts';
import { localDirectory, nodeBinary, repositoryRoot } from '../paths.ts';
import { freePort, freePorts, type Ports } from '../ports.ts';
import { type Run, run } from '../run.ts';
import { SetupError } from '../setup-error.ts';
import { startSystem } from '../system.ts';
import { readTestResults } from '../test-results.ts';
import { engineVariables, testVariables } from '../variables.ts';

const jestArguments = jestArgumentsOf('npm test', {
  does:
    'Runs tests, and starts before them what they need: nothing for unit tests, Kafka and MongoDB for ' +
    '*.integration.test.ts, the whole system for test/src/e2e and test/src/isolation. Without arguments: every test.',
  variables: [
    ['Engines', engineVariables],
    ['Tests', testVariables],
  ],
});

mkdirSync(join(localDirectory, 'test'), { recursive: true });
const directory = mkdtempSync(join(localDirectory, 'test/run-'));
/** Of what the tests start. */
const lists = join(directory, 'lists');
mkdirSync(lists);

await run({ directory, leave }, async started => {
  await started.own(Promise.resolve({ stop: endWhatTestsStarted }));
  const need = needOf(await listTests(started));
  const environment = need === 'nothing' ? {} : await startWhatIsNeeded(started, need);
  const results = join(directory, 'results.json');
  const code = await startJest(started, {
    args: ['--runInBand', '--json', `--outputFile=${results}`],
    environment: { ...environment, [listsVariable]: lists },
    output: 'ignore',
  }).exited;
  if (!existsSync(results)) throw new SetupError(`Jest ended (code ${code}) before it had results`);
  const { passed, failed, skipped } = readTestResults(readFileSync(results, 'utf8'));
  for (const line of skipped) started.say(line);
  if (code !== 0 && failed === 0)
    started.say(
      `no test failed, but Jest ended with code ${code}: look above for what went on after the end of a test`,
    );
  const isGood = code === 0 && failed === 0;
  if (!isGood && need !== 'nothing') started.say(`logs of this run: ${join(directory, 'logs')}`);
  console.log(`${passed} passed, ${failed} failed`);
  return isGood ? 0 : 1;
});

type JestCall = { args: readonly string[]; environment?: Record<string, string> } & Required<Pick<ChildSpec, 'output'>>;

function startJest({ children }: Run, { args, environment = {}, output }: JestCall): Child {
  return children.start({
    name: 'jest',
    layer: 'tests',
    command: nodeBinary,
    args: [...jest, ...args, ...jestArguments],
    cwd: repositoryRoot,
    env: { ...process.env, ...environment },
    output,
  });
}

/** What Jest will run, by its own account. */
async function listTests(started: Run): Promise<string[]> {
  const file = join(directory, 'tests.json');
  const code = await startJest(started, { args: ['--listTests', '--json'], output: openSync(file, 'w') }).exited;
  if (code !== 0) throw new SetupError('Jest cannot say which tests these are');
  const files = JSON.parse(readFileSync(file, 'utf8')) as string[];
  if (files.length === 0) throw new SetupError(`no test is named by: ${jestArguments.join(' ')}`);
  return files;
}

/** Gives the variables by which the tests find it. */
async function startWhatIsNeeded(started: Run, need: Exclude<Need, 'nothing'>): Promise<Record<string, string>> {
  const { children, own, say } = started;
  const ports = await freePorts();
  const engines = await own(
    startEngines({
      children,
      ports,
      directory: join(directory, 'data'),
      environment: process.env,
      say,
      containers: async given => (await import('../engines/containers.ts')).startContainerEngines(given),
    }),
  );
  void engines.died.catch((error: Error) => say(error.message));
  const withEngines = { REEVE_TEST_KAFKA: engines.kafka, REEVE_TEST_MONGODB: engines.mongodb };
  return need === 'engines'
    ? withEngines
    : { ...withEngines, ...(await startSystemUnderTest(started, engines, ports)) };
}

async function startSystemUnderTest({ children, own, say }: Run, engines: Engines, ports: Ports) {
  say('starting the system under test …');
  // Where a test may start a Kafka of somebody else's.
  const [elsewhere, elsewhereController] = [await freePort(), await freePort()];
  const system = await own(
    startSystem({
      children,
      engines,
      ports,
      directory,
      databasePrefix: `test_${Date.now()}`,
      environment: {
        REEVE_RATE_LIMITS: 'off',
        // What waits for a week elsewhere, or for seconds, waits long enough here to be seen waiting.
        REEVE_REMOVAL_DELAY_SECONDS: '3',
        REEVE_REFRESH_GRACE_SECONDS: '2',
        REEVE_ALLOWED_PRIVATE_ORIGINS: `tls://127.0.0.1:${elsewhere}`,
      },
    }),
  );
  void system.died.catch((error: Error) => say(error.message));
  const credentials = join(directory, 'credentials.json');
  writeFileSync(credentials, JSON.stringify(system.credentials), { mode: 0o600 });
  return { REEVE_TEST_CREDENTIALS: credentials, REEVE_TEST_ELSEWHERE: `${elsewhere} ${elsewhereController}` };
}

/** What tests could not end, since they were stopped themselves. */
async function endWhatTestsStarted(): Promise<void> {
  let before: number;
  do {
    const left = readdirSync(lists);
    before = left.length;
    // One that was started by another is not left behind until that is ended.
    for (const list of left) await endLeftovers(join(lists, list)).catch(() => undefined);
  } while (readdirSync(lists).length < before);
}

/** Keeps logs of what somebody may have to look into. */
function leave(code: number): void {
  const hasLogs = readdirSync(join(directory, 'logs')).some(name => name !== 'jest.log');
  if (code === 0 || !hasLogs) rmSync(directory, { recursive: true, force: true });
}
