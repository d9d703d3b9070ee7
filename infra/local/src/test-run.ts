// A run of tests: what they need and nothing else, then Jest, then the count alone on its line.
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
import { join, relative } from 'node:path';
import { fetchChartTools } from './chart-tools.ts';
import { type Child, type ChildSpec, listsVariable } from './children.ts';
import { prepareCluster } from './cluster.ts';
import { startEngines } from './engines/engines.ts';
import { buildImages } from './images.ts';
import { isCi } from './is-ci.ts';
import { jest, type Need, needOf, needsChartTools, needsPromtool, type Turn, turnsOf } from './jest.ts';
import { endLeftovers } from './leftovers.ts';
import { localDirectory, nodeBinary, repositoryRoot } from './paths.ts';
import { freePeerPorts, peerOrigins, startPeers } from './peers/peers.ts';
import { newTlsSite, trusting } from './peers/tls-site.ts';
import { freePort, freePorts, type Ports } from './ports.ts';
import { fetchPromtool } from './prometheus-tools.ts';
import { type Run, run } from './run.ts';
import { SetupError } from './setup-error.ts';
import { startSystem } from './system.ts';
import { readTestResults, type TestResults, together } from './test-results.ts';

type Asked = {
  jestArguments: readonly string[];
  /** Fails where something is not on this machine that a test needs, instead of leaving the test out. */
  everythingIsNeeded?: boolean;
  /** Runs a few files that failed once more: what then passes is named, and does not fail the run. */
  failuresAreRepeated?: boolean;
};

/** More than these have no chance for a cause. */
const mostRepeatedFiles = 3;

type Testing = Required<Asked> & {
  run: Run;
  directory: string;
  /** Of what the tests start. */
  lists: string;
};

/** Ends this process. */
export function runTests({
  jestArguments,
  everythingIsNeeded = false,
  failuresAreRepeated = false,
}: Asked): Promise<never> {
  mkdirSync(join(localDirectory, 'test'), { recursive: true });
  const directory = mkdtempSync(join(localDirectory, 'test/run-'));
  const lists = join(directory, 'lists');
  mkdirSync(lists);
  return run({ directory, leave: code => leave(directory, code) }, started =>
    tested({ jestArguments, everythingIsNeeded, failuresAreRepeated, run: started, directory, lists }),
  );
}

/** Gives the exit code. */
async function tested(testing: Testing): Promise<number> {
  const { directory, lists, everythingIsNeeded } = testing;
  const { own, say } = testing.run;
  await own(Promise.resolve({ stop: () => endWhatTestsStarted(lists) }));
  const files = await listTests(testing);
  await Promise.all([
    needsChartTools(files) && fetchIfThere(testing, 'the chart', fetchChartTools),
    needsPromtool(files) && fetchIfThere(testing, 'the rules', fetchPromtool),
  ]);
  const need = needOf(files);
  const environment = need === 'nothing' ? {} : await startWhatIsNeeded(testing, need);
  const variables = { ...environment, [listsVariable]: lists };
  const turns: JestRun[] = [];
  for (const turn of turnsOf(files)) turns.push(await runJest(testing, variables, turn));
  const whole = { ...together(turns), code: turns.find(({ code }) => code !== 0)?.code ?? 0 };
  const repeated = await repeatFailures(testing, variables, whole);
  const { passed, failed } = repeated;
  // Of a turn in which no test failed nothing is repeated.
  const code = repeated.code || (turns.find(turn => turn.code !== 0 && turn.failed === 0)?.code ?? 0);
  for (const line of whole.skipped) say(line);
  if (code !== 0 && failed === 0)
    say(`no test failed, but Jest ended with code ${code}: look above for what went on after the end of a test`);
  const isIncomplete = everythingIsNeeded && whole.lacks;
  if (isIncomplete) say('what tests lacked has to be there where CI is set');
  const isGood = code === 0 && failed === 0 && !isIncomplete;
  if (!isGood && need !== 'nothing') say(`logs of this run: ${join(directory, 'logs')}`);
  console.log(`${passed} passed, ${failed} failed`);
  return isGood ? 0 : 1;
}

type JestRun = TestResults & { code: number };

async function runJest(
  testing: Testing,
  environment: Record<string, string>,
  { workers, leavesOut, files = [] }: Turn & { files?: readonly string[] },
): Promise<JestRun> {
  const results = join(testing.directory, 'results.json');
  rmSync(results, { force: true });
  const named = files.length > 0 ? ['--runTestsByPath', ...files] : [];
  const args = [`--maxWorkers=${workers}`, '--json', `--outputFile=${results}`, ...named];
  const code = await startJest(testing, { args, leavesOut, environment, output: 'ignore' }).exited;
  if (!existsSync(results)) throw new SetupError(`Jest ended (code ${code}) before it had results`);
  return { code: code ?? 1, ...readTestResults(readFileSync(results, 'utf8')) };
}

/**
 * Many tests watch real processes and engines on a machine that others use too. What fails twice is broken; what fails
 * once is named, so that its race is looked for.
 */
async function repeatFailures(
  testing: Testing,
  environment: Record<string, string>,
  whole: JestRun,
): Promise<Pick<JestRun, 'code' | 'passed' | 'failed'>> {
  const { failedFiles, failedTests } = whole;
  const areFew = failedFiles.length > 0 && failedFiles.length <= mostRepeatedFiles;
  if (!testing.failuresAreRepeated || !areFew) return whole;
  const { say } = testing.run;
  say(`${whole.failed} failed, in ${failedFiles.map(file => relative(repositoryRoot, file)).join(', ')}: once more …`);
  const again = await runJest(testing, environment, { workers: 1, leavesOut: [], files: failedFiles });
  for (const test of failedTests)
    if (!again.failedTests.includes(test)) say(`failed, and passed when it was repeated: ${test}`);
  return { code: again.code, failed: again.failed, passed: whole.passed + whole.failed - again.failed };
}

type JestCall = {
  args: readonly string[];
  leavesOut?: readonly string[];
  environment?: Record<string, string>;
} & Required<Pick<ChildSpec, 'output'>>;

function startJest(
  { run: { children }, jestArguments }: Testing,
  { args, leavesOut = [], environment = {}, output }: JestCall,
): Child {
  return children.start({
    name: 'jest',
    layer: 'tests',
    command: nodeBinary,
    args: [...jest, ...args, ...jestArguments, ...leavesOut],
    cwd: repositoryRoot,
    env: { ...process.env, ...environment },
    output,
  });
}

/** What Jest will run, by its own account. */
async function listTests(testing: Testing): Promise<string[]> {
  const { directory, jestArguments } = testing;
  const file = join(directory, 'tests.json');
  const code = await startJest(testing, { args: ['--listTests', '--json'], output: openSync(file, 'w') }).exited;
  if (code !== 0) throw new SetupError('Jest cannot say which tests these are');
  const files = JSON.parse(readFileSync(file, 'utf8')) as string[];
  if (files.length === 0) throw new SetupError(`no test is named by: ${jestArguments.join(' ')}`);
  return files;
}

/** Tests find by themselves what was fetched. */
async function fetchIfThere(
  { run: { children, say } }: Testing,
  what: string,
  fetchTools: typeof fetchPromtool,
): Promise<void> {
  try {
    await fetchTools(children, say);
  } catch (error) {
    if (isCi() || !(error instanceof SetupError)) throw error;
    say(`${what}: ${error.message}`);
  }
}

/** Gives the variables by which the tests find it. */
async function startWhatIsNeeded(testing: Testing, need: Exclude<Need, 'nothing'>): Promise<Record<string, string>> {
  if (need === 'engines') return (await startEnginesUnderTest(testing, await freePorts())).variables;
  if (need === 'system') return startSystemUnderTest(testing, {});
  if (need === 'images') return buildImages(testing.run);
  if (need === 'cluster') return prepareCluster(testing.run, testing.directory);
  const { directory, everythingIsNeeded: areNeeded } = testing;
  const [ports, site] = await Promise.all([freePeerPorts(), newTlsSite()]);
  const letThrough = { REEVE_ALLOWED_PRIVATE_ORIGINS: `${peerOrigins(ports)},${site.origin}` };
  // Keycloak starts as long as everything else.
  const [system, peers] = await Promise.all([
    startSystemUnderTest(testing, { ...letThrough, ...trusting(site, directory) }),
    startPeers(testing.run, { ports, site, directory, areNeeded }),
  ]);
  const file = join(directory, 'peers.json');
  writeFileSync(file, JSON.stringify(peers), { mode: 0o600 });
  return { ...system, REEVE_TEST_PEERS: file };
}

async function startEnginesUnderTest({ run: { children, own, say }, directory }: Testing, ports: Ports) {
  const engines = await own(
    startEngines({
      children,
      ports,
      directory: join(directory, 'data'),
      environment: process.env,
      say,
      containers: async given => (await import('./engines/containers.ts')).startContainerEngines(given),
    }),
  );
  void engines.died.catch((error: Error) => say(error.message));
  return { engines, variables: { REEVE_TEST_KAFKA: engines.kafka, REEVE_TEST_MONGODB: engines.mongodb } };
}

async function startSystemUnderTest(testing: Testing, environment: Record<string, string>) {
  const { directory } = testing;
  const { children, own, say } = testing.run;
  const ports = await freePorts();
  const { engines, variables } = await startEnginesUnderTest(testing, ports);
  say('starting the system under test …');
  // Where a test may start a Kafka of somebody else's.
  const [elsewhere, elsewhereController] = [await freePort(), await freePort()];
  // And where it may publish keys of an identity provider.
  const providerKeys = await freePort();
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
        REEVE_ALLOWED_PRIVATE_ORIGINS: `tls://127.0.0.1:${elsewhere},http://127.0.0.1:${providerKeys}`,
        ...environment,
      },
    }),
  );
  void system.died.catch((error: Error) => say(error.message));
  const credentials = join(directory, 'credentials.json');
  writeFileSync(credentials, JSON.stringify(system.credentials), { mode: 0o600 });
  return {
    ...variables,
    REEVE_TEST_CREDENTIALS: credentials,
    REEVE_TEST_ELSEWHERE: `${elsewhere} ${elsewhereController}`,
    REEVE_TEST_PROVIDER_KEYS: String(providerKeys),
  };
}

/** What tests could not end, since they were stopped themselves. */
async function endWhatTestsStarted(lists: string): Promise<void> {
  let before: number;
  do {
    const left = readdirSync(lists);
    before = left.length;
    // One that was started by another is not left behind until that is ended.
    for (const list of left) await endLeftovers(join(lists, list)).catch(() => undefined);
  } while (readdirSync(lists).length < before);
}

/** Keeps logs of what somebody may have to look into. */
function leave(directory: string, code: number): void {
  const hasLogs = readdirSync(join(directory, 'logs')).some(name => name !== 'jest.log');
  if (code === 0 || !hasLogs) rmSync(directory, { recursive: true, force: true });
}
