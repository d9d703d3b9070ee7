// Several instances of audit over one store and one broker of their own, and nothing else of Reeve: events are
// published as the other services would.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, createChildren, notUp } from '@reeve/local/children';
import { startEngines } from '@reeve/local/engines';
import { localDirectory, nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { localSecrets, vaultKeyFile } from '@reeve/local/secrets';
import { startWithinMs, waitFor } from '@reeve/local/wait-for';
import { callers, startIssuer } from '@reeve/testing';

export type Instance = {
  url: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
};

export type AuditInstances = Awaited<ReturnType<typeof startAuditInstances>>;

export async function startAuditInstances(count: number) {
  mkdirSync(join(localDirectory, 'test'), { recursive: true });
  const directory = mkdtempSync(join(localDirectory, 'test/audit-instances-'));
  const children = createChildren(directory);
  const engines = await startEngines({
    children,
    ports: await freePorts(),
    directory: join(directory, 'data'),
    environment: { PATH: process.env['PATH'], MONGOD_BINARY: process.env['MONGOD_BINARY'] },
    say: () => undefined,
  });
  const issuer = await startIssuer();
  localSecrets(directory);
  // One token is good at each of them: they are one service behind one address.
  const selfUrl = 'http://audit.test';

  async function startInstance(number: number): Promise<Instance> {
    const { audit: port } = await freePorts();
    const url = `http://localhost:${port}`;
    const child: Child = children.start({
      name: `audit-${number}`,
      layer: 'system',
      command: nodeBinary,
      args: ['--conditions=source', '--disable-warning=ExperimentalWarning', 'src/main.ts'],
      cwd: join(repositoryRoot, 'services/audit'),
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'development',
        LOG_LEVEL: 'warn',
        PORT: String(port),
        METRICS_PORT: '0',
        REEVE_SELF_URL: selfUrl,
        REEVE_ISSUER: issuer.url,
        KAFKA_BROKERS: engines.kafka,
        MONGODB_URI: engines.mongodb,
        MONGODB_DATABASE: 'audit_instances',
        REEVE_VAULT_KEY_FILE: vaultKeyFile(directory),
        REEVE_CHECKPOINT_SECONDS: '2',
      },
    });
    const isUp = await waitFor(async () => (await fetch(`${url}/readyz`)).ok, {
      withinMs: startWithinMs,
      abandoned: child.hasExited,
    });
    if (!isUp) throw notUp(child);
    return {
      url,
      kill: () => child.kill(),
      pause: () => process.kill(child.pid, 'SIGSTOP'),
      resume: () => process.kill(child.pid, 'SIGCONT'),
    };
  }

  const instances: Instance[] = [];
  for (let number = 0; number < count; number += 1) instances.push(await startInstance(number));

  return {
    instances,
    kafka: engines.kafka,
    token: () => issuer.token(callers.platform(), selfUrl),
    async stop(): Promise<void> {
      await children.stopAll();
      await engines.stop();
      await issuer.stop();
      if (process.env['REEVE_KEEP_LOGS'] === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
