// A system of a suite's own, with engines of its own: for what would hurt the others.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createChildren } from '@reeve/local/children';
import type { Engines } from '@reeve/local/engine';
import { startEngines } from '@reeve/local/engines';
import { localDirectory } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { type System, startSystem } from '@reeve/local/system';

export type OwnSystem = { system: System; engines: Engines; stop(): Promise<void> };

export async function startOwnSystem(name: string): Promise<OwnSystem> {
  mkdirSync(join(localDirectory, 'test'), { recursive: true });
  const directory = mkdtempSync(join(localDirectory, `test/${name}-`));
  const children = createChildren(directory);
  const ports = await freePorts();
  // Processes, whatever else there is: the broker has to be ours to kill.
  const engines = await startEngines({
    children,
    ports,
    directory: join(directory, 'data'),
    environment: { PATH: process.env['PATH'], MONGOD_BINARY: process.env['MONGOD_BINARY'] },
    say: () => undefined,
    processesOnly: true,
  });
  const system = await startSystem({
    children,
    engines,
    ports,
    directory,
    environment: { REEVE_RATE_LIMITS: 'off', LOG_LEVEL: 'warn' },
  });
  return {
    system,
    engines,
    async stop() {
      await system.stop();
      await engines.stop();
      await children.stopAll();
      if (process.env['REEVE_KEEP_LOGS'] === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
