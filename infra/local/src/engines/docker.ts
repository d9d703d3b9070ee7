// Engines as containers, where a Docker engine answers.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../paths.ts';
import type { Ports } from '../ports.ts';
import { SetupError } from '../setup-error.ts';
import type { Engines } from './engine.ts';

const run = promisify(execFile);
const compose = ['compose', '-f', join(repositoryRoot, 'docker-compose.yml')];

/** REEVE_ENGINES=processes leaves Docker alone even where it answers. */
export async function dockerAnswers(environment: NodeJS.ProcessEnv): Promise<boolean> {
  if (environment['REEVE_ENGINES'] === 'processes') return false;
  try {
    await run('docker', ['info'], { timeout: 3_000 });
    return true;
  } catch {
    return false;
  }
}

/**
 * `docker compose up` for the two engines. They keep running between starts unless stopped by the returned function.
 */
export async function startComposeEngines({ kafka, mongodb }: Pick<Ports, 'kafka' | 'mongodb'>): Promise<Engines> {
  const env = { ...process.env, REEVE_KAFKA_PORT: String(kafka), REEVE_MONGODB_PORT: String(mongodb) };
  try {
    await run('docker', [...compose, 'up', '--detach', '--wait', 'kafka', 'mongodb'], { env, timeout: 180_000 });
  } catch (error) {
    throw new SetupError(
      `docker compose could not start the engines: ${String((error as { stderr?: string }).stderr ?? error).trim()}`,
    );
  }
  return {
    kafka: `127.0.0.1:${kafka}`,
    // The member of the replica set has the name that it has among containers.
    mongodb: `mongodb://127.0.0.1:${mongodb}/?directConnection=true`,
    restartKafka: null,
    restartMongodb: null,
    // Docker restarts what ends.
    died: new Promise<never>(() => undefined),
    stop: async () => void (await run('docker', [...compose, 'stop', 'kafka', 'mongodb'], { env })),
  };
}
