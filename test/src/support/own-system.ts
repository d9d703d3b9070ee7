// A system of a suite's own, with engines of its own: for what would hurt the others.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createChildren } from '@reeve/local/children';
import { startEngines } from '@reeve/local/engines';
import { type OwnReplicaSet, startOwnReplicaSet } from '@reeve/local/own-replica-set';
import { localDirectory } from '@reeve/local/paths';
import { freePorts } from '@reeve/local/ports';
import { type System, type SystemOptions, serviceNames, startSystem } from '@reeve/local/system';

export type OwnSystem = {
  system: System;
  /** Each kills the engine and starts it again on the same data. */
  restartKafka(whileAway?: () => Promise<void>): Promise<void>;
  restartMongodb(whileAway?: () => Promise<void>): Promise<void>;
  /** Where MongoDB keeps its data: to be copied or put back while it is away. */
  mongodbData: string;
  /** Stops every service, and starts them again with further variables. `whileAway` is before that. */
  restartServices(environment: Record<string, string>, whileAway: () => Promise<void>): Promise<void>;
  /** Where it was asked for; `restartMongodb` is not there then. */
  replicaSet: OwnReplicaSet | null;
  /** Rejects when a service or an engine ends by itself. */
  died: Promise<never>;
  stop(): Promise<void>;
};

type Options = Pick<SystemOptions, 'instances' | 'environment' | 'environmentOf' | 'balanced'> & {
  /** Where each member of a replica set keeps its data. One member unless said. */
  replicaSetIn?: readonly string[];
};

/** Of each service, at least. More than one are behind a balancer, whose 502 is the outage of one that was killed. */
export const instancesAtLeast = Number(process.env['REEVE_CHAOS_INSTANCES'] ?? 1);

export async function startOwnSystem(
  name: string,
  { instances: asked = {}, environment = {}, environmentOf = {}, balanced = false, replicaSetIn }: Options = {},
): Promise<OwnSystem> {
  const instances = Object.fromEntries(serviceNames.map(each => [each, Math.max(asked[each] ?? 1, instancesAtLeast)]));
  mkdirSync(join(localDirectory, 'test'), { recursive: true });
  const directory = mkdtempSync(join(localDirectory, `test/${name}-`));
  const children = createChildren(directory);
  const ports = await freePorts();
  const replicaSet = replicaSetIn ? await startOwnReplicaSet(children, replicaSetIn) : null;
  // Processes, whatever else there is: the engines have to be ours to kill.
  const engines = await startEngines({
    children,
    ports,
    directory: join(directory, 'data'),
    environment: {
      PATH: process.env['PATH'],
      MONGOD_BINARY: process.env['MONGOD_BINARY'],
      ...(replicaSet ? { MONGODB_URI: replicaSet.uri } : {}),
    },
    say: () => undefined,
  });
  const { restartKafka, restartMongodb } = engines;
  if (!restartKafka || !(restartMongodb || replicaSet)) throw new Error('the engines are not ours to kill');
  const start = (further: Record<string, string> = {}) =>
    startSystem({
      children,
      engines,
      ports,
      directory,
      instances,
      environmentOf,
      balanced: balanced || instancesAtLeast > 1,
      environment: { REEVE_RATE_LIMITS: 'off', LOG_LEVEL: 'warn', ...environment, ...further },
    });
  let system = await start();
  const died = Promise.race([system.died, engines.died]);
  let isIntact = true;
  died.catch(() => {
    isIntact = false;
  });
  return {
    get system() {
      return system;
    },
    restartKafka,
    restartMongodb: restartMongodb ?? (() => Promise.reject(new Error('the replica set has members of its own'))),
    mongodbData: join(directory, 'data/mongodb'),
    async restartServices(further, whileAway) {
      await system.stop();
      await whileAway();
      system = await start(further);
    },
    replicaSet,
    died,
    async stop() {
      await system.stop();
      await engines.stop();
      await replicaSet?.stop();
      await children.stopAll();
      // The logs of what died are named where it was noticed.
      if (isIntact && process.env['REEVE_KEEP_LOGS'] === undefined) rmSync(directory, { recursive: true, force: true });
    },
  };
}
