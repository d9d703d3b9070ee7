// What one of each operation costs: measured by `npm run bench -- sizing`, kept in measured-costs.json.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

/** `webhookOfQuietTenant`: of a tenant without another event within a minute, so that a checkpoint follows each. */
export const operations = [
  'signIn',
  'signInOfNew',
  'refresh',
  'request',
  'webhook',
  'repeatedWebhook',
  'webhookOfQuietTenant',
] as const;
export type Operation = (typeof operations)[number];

const named = z.record(z.string(), z.number());
const amounts = z.object({
  /** Of every process: the services by their names, `mongodb` and `kafka`. */
  processorMs: named,
  /** On disk, indexes and all, by the service whose database it is. */
  storeBytes: named,
  /** On the disk of one broker, by topic. */
  topicBytes: named,
  auditEvents: z.number(),
});
export type Amounts = z.infer<typeof amounts>;

export const costsSchema = z.object({
  measuredAt: z.iso.date(),
  machine: z.string(),
  /** While nobody asks for anything: each second, and what a process has. What is written then is written over. */
  atRest: z.object({ processorMs: named, memoryMb: named }),
  /** One of each, beyond what goes on at rest. */
  operations: z.record(z.enum(operations), amounts),
  /** Loads of which the costs were reckoned and measured: what was reckoned, as a share of what was measured. */
  checks: z.array(
    z.object({
      name: z.string(),
      tenants: z.number(),
      perSecond: z.record(z.enum(operations), z.number()),
      /** Measured, of services, store and broker. */
      cores: z.number(),
      ratio: z.object({ processor: z.number(), storage: z.number() }),
    }),
  ),
});
export type Costs = z.infer<typeof costsSchema>;

export const costsFile = fileURLToPath(new URL('../measured-costs.json', import.meta.url));

export const readCosts = (): Costs => costsSchema.parse(JSON.parse(readFileSync(costsFile, 'utf8')));

/** A checkpoint is signed for each tenant whose log grew (`REEVE_CHECKPOINT_SECONDS`). */
const checkpointSeconds = 60;

export type Load = {
  counts: Partial<Record<Operation, number>>;
  seconds: number;
  /** Who have events in that time, more or less evenly. */
  tenants: number;
};

/** What a load costs. */
export function amountsOf({ atRest, operations: each }: Costs, { counts, seconds, tenants }: Load): Amounts {
  const parts = operations.map(operation => ({ amounts: each[operation], times: counts[operation] ?? 0 }));
  parts.push({ amounts: { ...nothing, processorMs: atRest.processorMs }, times: seconds });
  const auditEvents = sumOf(parts, of => of.auditEvents);
  // None signs more often than it has events, nor than the interval says.
  const checkpoints = Math.min(auditEvents, tenants * Math.max(1, seconds / checkpointSeconds));
  const { webhookOfQuietTenant: quiet, webhook } = each;
  parts.push({ amounts: quiet, times: checkpoints }, { amounts: webhook, times: -checkpoints });
  return {
    processorMs: together(parts, of => of.processorMs),
    storeBytes: together(parts, of => of.storeBytes),
    topicBytes: together(parts, of => of.topicBytes),
    auditEvents,
  };
}

const nothing: Amounts = { processorMs: {}, storeBytes: {}, topicBytes: {}, auditEvents: 0 };

type Part = { amounts: Amounts; times: number };

const sumOf = (parts: readonly Part[], pick: (of: Amounts) => number): number =>
  parts.reduce((sum, { amounts: of, times }) => sum + pick(of) * times, 0);

function together(parts: readonly Part[], pick: (of: Amounts) => Record<string, number>): Record<string, number> {
  const names = new Set(parts.flatMap(({ amounts: of }) => Object.keys(pick(of))));
  return Object.fromEntries(
    [...names].map(name => [
      name,
      Math.max(
        0,
        sumOf(parts, of => pick(of)[name] ?? 0),
      ),
    ]),
  );
}

export const sum = (of: Record<string, number>): number => Object.values(of).reduce((total, one) => total + one, 0);
