// A namespace of the cluster that KUBECONFIG names, for one run of `npm run test:cluster`: with images there, and
// nothing in it. It goes at the end, also after a failure.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { generate } from 'selfsigned';
import { buildImages, imageOf } from './images.ts';
import { repositoryRoot } from './paths.ts';
import { freePort } from './ports.ts';
import type { Run } from './run.ts';
import { SetupError } from './setup-error.ts';
import { serviceNames } from './system.ts';

const execute = promisify(execFile);

/** By the hosts that they have in the cluster; they have these ports on this machine as well. */
type Ports = Record<(typeof serviceNames)[number] | 'provider', number>;

export type ClusterUnderTest = {
  namespace: string;
  /** <repository>/<service>:<tag>. */
  repository: string;
  tag: string;
  kafkaImage: string;
  mongodbImage: string;
  ports: Ports;
  /** PEM, of `localhost` and of what is in the namespace: its own authority. */
  key: string;
  certificate: string;
};

/** Null where there is a cluster; otherwise what is missing. */
export const lacksCluster = (): string | null =>
  process.env['KUBECONFIG'] ? null : 'a cluster: KUBECONFIG names none';

export const clusterVariable = 'REEVE_TEST_CLUSTER';

/**
 * Gives the variables by which the tests find it. Throws SetupError where a program is missing, the cluster does not
 * answer, or it cannot be given the images.
 */
export async function prepareCluster(run: Run, directory: string): Promise<Record<string, string>> {
  for (const program of ['kubectl', 'helm'])
    await execute(program, ['version', ...(program === 'kubectl' ? ['--client'] : [])]).catch(() => {
      throw new SetupError(`${program} is not on the PATH, which a test in a cluster is made with`);
    });
  await execute('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s']).catch((error: unknown) => {
    throw new SetupError(`the cluster of KUBECONFIG does not answer: ${wordsOf(error)}`);
  });
  const images = await provideImages(run);
  const namespace = `reeve-test-${randomBytes(3).toString('hex')}`;
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    extensions: [
      {
        name: 'subjectAltName',
        altNames: ['localhost', 'kafka', `outside.${namespace}.svc.cluster.local`].map(value => ({
          type: 2 as const,
          value,
        })),
      },
    ],
  });
  const ports = {} as Ports;
  for (const name of [...serviceNames, 'provider'] as const) ports[name] = await freePort();
  const cluster: ClusterUnderTest = { ...images, namespace, ports, key: made.private, certificate: made.cert };
  const [file, trusted] = [join(directory, 'cluster.json'), join(directory, 'cluster.pem')];
  writeFileSync(file, JSON.stringify(cluster), { mode: 0o600 });
  writeFileSync(trusted, made.cert);
  await run.own(createNamespace(run, namespace));
  return { [clusterVariable]: file, NODE_EXTRA_CA_CERTS: trusted };
}

const wordsOf = (error: unknown) => String((error as { stderr?: string }).stderr ?? error).trim();

async function createNamespace({ say }: Run, namespace: string): Promise<{ stop(): Promise<void> }> {
  await execute('kubectl', ['create', 'namespace', namespace]);
  const enforced = 'pod-security.kubernetes.io/enforce=restricted';
  await execute('kubectl', ['label', 'namespace', namespace, enforced]);
  say(`the namespace is ${namespace}`);
  return {
    async stop() {
      if (process.env['REEVE_CLUSTER_KEEP']) return say(`kept, as REEVE_CLUSTER_KEEP says: the namespace ${namespace}`);
      await execute('kubectl', ['delete', 'namespace', namespace, '--wait=false']);
      say(`the namespace ${namespace} is being deleted`);
    },
  };
}

/** Builds the images and hands them to the cluster, unless it has them. */
async function provideImages(run: Run) {
  const {
    REEVE_CLUSTER_IMAGES: there,
    REEVE_CLUSTER_TAG: tag,
    REEVE_CLUSTER_LOAD: load,
    REEVE_CLUSTER_KAFKA: kafkaImage = 'apache/kafka:4.1.0',
    REEVE_CLUSTER_MONGODB: mongodbImage = 'mongo:8',
  } = process.env;
  if (there) return { repository: there, tag: tag || '0.1.0', kafkaImage, mongodbImage };
  if (!load)
    throw new SetupError(
      'nothing says how the cluster gets the images: REEVE_CLUSTER_IMAGES where a registry has them, or ' +
        'REEVE_CLUSTER_LOAD, a command that reads what `docker save` writes (kind load image-archive /dev/stdin)',
    );
  await buildImages(run, serviceNames);
  // A cluster that reaches no registry has to be handed those of the engines as well.
  const engines = await Promise.all(
    [kafkaImage, mongodbImage].map(image =>
      execute('docker', ['image', 'inspect', image]).then(
        () => [image],
        () => [],
      ),
    ),
  );
  const saved = [...serviceNames.map(name => imageOf(name)), ...engines.flat()];
  run.say(`handing ${saved.length} images to the cluster …`);
  await run.children.finish({
    name: 'load-images',
    layer: 'tests',
    command: 'bash',
    args: ['-o', 'pipefail', '-c', `docker save "$@" | ${load}`, 'load', ...saved],
    cwd: repositoryRoot,
    env: process.env,
  });
  return { repository: 'reeve', tag: 'test', kafkaImage, mongodbImage };
}
