// A service as a process of its own, for what only a process shows: how it starts, serves and ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const defaults = {
  NODE_ENV: 'test',
  PORT: '0',
  METRICS_PORT: '0',
  REEVE_SELF_URL: 'http://localhost:1',
  REEVE_ISSUER: 'http://localhost:1',
  KAFKA_BROKERS: 'localhost:1',
  MONGODB_URI: 'mongodb://localhost:1',
  MONGODB_DATABASE: 'none',
};

/** Given as `create` to a sample: a service that has nothing to start. */
const nothing = `() => {
  const stay = setInterval(() => undefined, 1_000);
  return { app: express(), start: async () => undefined, stop: async () => clearInterval(stay) };
}`;

/** Given as `create`: a service that has nothing of its own, and needs its engines. */
export const onEngines = `(config, log) => {
  const foundation = kit.createFoundation('sample', config, { log, contents: {} });
  const tenants = kit.createTenantDirectory(foundation.store);
  const about = { name: 'sample', purpose: 'Is there for tests.' };
  return { ...foundation, app: kit.createApp({ ...about, ...foundation, config, log, tenants, routes: [] }) };
}`;

type Sample = {
  /** Source of the function that makes the service of its configuration and its log. */
  create?: string;
  /** Source of what the process does as soon as it listens, with `log` at hand. */
  work?: string;
  environment?: Readonly<Record<string, string>>;
  /** Flags of Node. */
  flags?: readonly string[];
};

const script = ({ create = nothing, work = '' }: Sample) => `
  import { writeSync } from 'node:fs';
  import * as kit from '@reeve/service-kit';
  import express from 'express';
  let log;
  const create = ${create};
  await kit.runService({ name: 'sample', schema: kit.baseConfig, environment: process.env }, (config, given) => {
    log = given;
    return create(config, log);
  });
  ${work}
`;

export type Line = Record<string, unknown> & {
  level: string;
  msg: string;
  error?: { name: string; message: string; stack: string };
};

export const linesOf = (output: string) =>
  output
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line) as Line);

const started: ChildProcess[] = [];

export function startSample({ logTo, ...sample }: Sample & { logTo?: string }): ChildProcess {
  const args = ['--conditions=source', ...(sample.flags ?? []), '--input-type=module', '--eval', script(sample)];
  const child = spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, '..'),
    env: { ...defaults, ...sample.environment, PATH: process.env['PATH'] },
    stdio: ['ignore', logTo === undefined ? 'pipe' : openSync(logTo, 'w'), 'pipe'],
  });
  started.push(child);
  return child;
}

/** To its end, with what it wrote until then. */
export async function runSample(
  sample: Sample,
): Promise<{ code: number | null; log: Line[]; output: string; errors: string }> {
  const child = startSample(sample);
  const [output, errors, [code]] = await Promise.all([
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { code, output, errors, log: linesOf(output) };
}

/** After a test, whatever became of them. */
export function endSamples(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL');
}
