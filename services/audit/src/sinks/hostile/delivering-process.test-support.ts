// Runs `deliver.test-support.ts` as a service would deliver: what a receiver does must not end the process.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

type Outcome = { code: string; detail?: string; refused?: { id: string; reason: string }[]; tookMs: number };
export type Delivering = { outcomes: Outcome[]; reported: string[]; mostMegabytes: number };
type To = {
  /** One line to each, at the same time. */
  targets: readonly { target: object; credential?: string }[];
  allowedPrivateOrigins: readonly string[];
  /** How long the process stays afterwards. */
  stayMs?: number;
  environment?: Record<string, string>;
};

/** Rejects unless the process is there until it has nothing more to do. */
export async function deliverInProcess({
  targets,
  allowedPrivateOrigins,
  stayMs = 1_000,
  environment = {},
}: To): Promise<Delivering> {
  const what = { targets: targets.map(one => ({ credential: null, ...one })), allowedPrivateOrigins, stayMs };
  const flags = ['--conditions=source', '--disable-warning=TimeoutNegativeWarning'];
  const args = [...flags, join(import.meta.dirname, 'deliver.test-support.ts'), JSON.stringify(what)];
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number]>;
  const [output, problems, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  if (code !== 0 || problems !== '') throw new Error(`the process ended with code ${code}: ${problems}`);
  return JSON.parse(output) as Delivering;
}
