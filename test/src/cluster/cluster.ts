// The namespace that `npm run test:cluster` has made for this run, by kubectl and Helm.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';
import { test } from '@jest/globals';
import type { ClusterUnderTest } from '@reeve/local/cluster';
import { eventually } from '@reeve/testing/eventually';

export const release = 'reeve';
const instance = `app.kubernetes.io/instance=${release}`;
const minutes = 60_000;

export function clusterUnderTest(): ClusterUnderTest {
  const file = process.env['REEVE_TEST_CLUSTER'];
  if (file === undefined) throw new Error('there is no cluster: use `npm run test:cluster`');
  return JSON.parse(readFileSync(file, 'utf8')) as ClusterUnderTest;
}

const cluster = clusterUnderTest();

export type Ended = { code: number; out: string };

/** Runs a program in the namespace to its end, whatever that is. */
function ended(program: string, args: readonly string[], input = ''): Promise<Ended> {
  return new Promise(resolve => {
    const all = [...args.slice(0, 1), '--namespace', cluster.namespace, ...args.slice(1)];
    const child = execFile(program, all, { maxBuffer: 2 ** 26, timeout: 12 * minutes }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), out: error === null ? stdout : stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}

export const kubectlEnds = (...args: string[]) => ended('kubectl', args);

/** Gives what it prints. Throws with that where it fails. */
export async function kubectl(...args: string[]): Promise<string> {
  const { code, out } = await ended('kubectl', args);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${out}`);
  return out;
}

export async function apply(...manifests: (object | string)[]): Promise<void> {
  const text = manifests.map(each => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n---\n');
  const { code, out } = await ended('kubectl', ['apply', '--filename=-'], text);
  if (code !== 0) throw new Error(`kubectl apply: ${out}`);
}

export async function helm(...args: string[]): Promise<string> {
  const { code, out } = await ended('helm', args);
  if (code !== 0) throw new Error(`helm ${args.join(' ')}: ${out}`);
  return out;
}

export type Pod = { name: string; uid: string; node: string; service: string; isReady: boolean; isEnding: boolean };

type PodObject = {
  metadata: { name: string; uid: string; labels: Record<string, string>; deletionTimestamp?: string };
  spec: { nodeName?: string };
  status: { conditions?: { type: string; status: string }[] };
};

/** Those of the release. */
export async function podsOfRelease(): Promise<Pod[]> {
  const { items } = JSON.parse(await kubectl('get', 'pods', '-l', instance, '-o', 'json')) as { items: PodObject[] };
  return items.map(({ metadata, spec, status }) => ({
    name: metadata.name,
    uid: metadata.uid,
    node: spec.nodeName ?? '',
    service: metadata.labels['app.kubernetes.io/component'] ?? '',
    isReady: (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    isEnding: metadata.deletionTimestamp !== undefined,
  }));
}

/** Every object of the release, as kind/name. */
export async function objectsOfRelease(): Promise<string[]> {
  const kinds = (await kubectl('api-resources', '--namespaced', '--verbs=list', '-o', 'name')).trim().split('\n');
  // They tell of others, and pass.
  const lasting = kinds.filter(kind => !/^events(\.|$)|metrics\.k8s\.io$/.test(kind));
  const found = await kubectl('get', lasting.join(','), '-l', instance, '-o', 'name', '--ignore-not-found');
  return found.split('\n').filter(line => line !== '');
}

/** As many of each as it says, all of them ready, and none that is on its way out. */
export const ready = (count: number, services: readonly string[]) =>
  eventually(
    `${count} ready pods of each service`,
    async () => {
      const pods = await podsOfRelease();
      return services.every(service => {
        const own = pods.filter(pod => pod.service === service);
        return own.length === count && own.every(({ isReady, isEnding }) => isReady && !isEnding);
      });
    },
    5 * minutes,
  );

/** Of connections from a pod that has Node, by host:port: whether each is taken within three seconds. */
export async function connectionsFrom(pod: string, targets: readonly string[]): Promise<Record<string, boolean>> {
  const script = `
    const { connect } = require('node:net');
    const tried = process.argv.slice(1).map(target => new Promise(resolve => {
      const [host, port] = target.split(':');
      const socket = connect({ host, port, timeout: 3000 });
      const end = isTaken => (socket.destroy(), resolve([target, isTaken]));
      socket.on('connect', () => end(true)).on('timeout', () => end(false)).on('error', () => end(false));
    }));
    Promise.all(tried).then(all => console.log(JSON.stringify(Object.fromEntries(all))));`;
  const out = await kubectl('exec', pod, '--', 'node', '-e', script, ...targets);
  return JSON.parse(out) as Record<string, boolean>;
}

/** What went wrong in the services comes first, by their own account. */
const isTrouble = (line: string) => /"level":"(warn|error|fatal)"|"status":5\d\d/.test(line);

async function describeCluster(): Promise<void> {
  const [pods, events, services, engines] = await Promise.all([
    kubectlEnds('get', 'pods', '-o', 'wide'),
    kubectlEnds('get', 'events', '--sort-by=.lastTimestamp'),
    kubectlEnds('logs', '-l', instance, '--prefix', '--tail=-1', '--max-log-requests=30'),
    kubectlEnds('logs', '-l', 'app in (secured-kafka, secured-mongodb, outside)', '--prefix', '--tail=10'),
  ]);
  const trouble = services.out.split('\n').filter(isTrouble).slice(-100).join('\n');
  const parts = [pods.out, events.out.split('\n').slice(-60).join('\n'), trouble, engines.out];
  process.stderr.write(`\n${parts.map(part => part.trim()).join('\n\n')}\n\n`);
}

let isBroken = false;

/**
 * A test that takes minutes. Where it fails, it shows the pods, the events and what the services complain of; those
 * after it are not tried then, if they stand on it.
 */
export function step(title: string, body: () => Promise<void>, { othersStandOnIt = false } = {}): void {
  const shown = async () => {
    if (isBroken) throw new Error('not tried, since one before it has failed');
    const began = Date.now();
    try {
      await body();
    } catch (error) {
      isBroken = othersStandOnIt;
      await describeCluster();
      note(`${title}: ${inspect(error)}`);
      throw error;
    }
    process.stderr.write(`  ${((Date.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${title}\n`);
  };
  test(title, shown, 15 * minutes);
}

/** Whatever a command prints, for whoever reads the run. */
export const note = (text: string): void =>
  void process.stderr.write(`         ${text.trim().replaceAll('\n', '\n         ')}\n`);
