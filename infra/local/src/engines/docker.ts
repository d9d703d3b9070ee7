// Engines as containers, where a Docker engine answers.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { repositoryRoot } from '../paths.ts';
import { SetupError } from '../setup-error.ts';

const run = promisify(execFile);
const compose = ['compose', '-f', join(repositoryRoot, 'docker-compose.yml')];

/** REEVE_ENGINES=processes leaves Docker alone even where it answers. */
export async function dockerAnswers(): Promise<boolean> {
  if (process.env['REEVE_ENGINES'] === 'processes') return false;
  try {
    await run('docker', ['info'], { timeout: 3_000 });
    await run('docker', ['compose', 'version'], { timeout: 3_000 });
    return true;
  } catch {
    return false;
  }
}

/** `docker compose up` for the two engines. They keep running between starts unless stopped by the returned function. */
export async function startComposeEngines({ kafkaPort, mongodbPort }: { kafkaPort: number; mongodbPort: number }) {
  const env = { ...process.env, REEVE_KAFKA_PORT: String(kafkaPort), REEVE_MONGODB_PORT: String(mongodbPort) };
  try {
    await run('docker', [...compose, 'up', '--detach', '--wait', 'kafka', 'mongodb'], { env, timeout: 180_000 });
  } catch (error) {
    throw new SetupError(
      `docker compose could not start the engines: ${String((error as { stderr?: string }).stderr ?? error).trim()}`,
    );
  }
  return () => run('docker', [...compose, 'stop', 'kafka', 'mongodb'], { env });
}
