// What an installation needs for so many operations a day. The rules are few, and docs/sizing.md tells them all.
import { topics } from '@reeve/contracts';
import { type Amounts, amountsOf, type Costs, type Operation, sum } from './costs.ts';

export type Plan = {
  tenants: number;
  /** On an average day. */
  perDay: Partial<Record<PlannedOperation, number>>;
  /** How much more there is in the busiest hour than on average. */
  peak: number;
  /** How long tenants keep their logs. */
  auditDays: number;
  /** What a core and a gigabyte of disk cost for a month, in whatever money. */
  prices: { core: number; gigabyte: number } | null;
};

/** What `reeve sizing` is told by which option; the costs of a quiet tenant follow from how many there are. */
export const planOptions = {
  signIn: 'sign-ins',
  signInOfNew: 'new-people',
  refresh: 'refreshes',
  request: 'requests',
  webhook: 'webhooks',
  repeatedWebhook: 'repeated-webhooks',
} as const satisfies Partial<Record<Operation, string>>;
export type PlannedOperation = keyof typeof planOptions;

export const planDefaults = { peak: 3, auditDays: 365 };

export type ServiceNeeds = { name: string; cores: number; pods: number; memoryMb: number };
export type Needs = {
  auditEventsPerDay: number;
  auditEventsPerSecondAtPeak: number;
  services: ServiceNeeds[];
  /** `cells` are installations, each with a replica set of three; gigabytes are over all of them. */
  mongodb: { coresOfMember: number; gigabytes: Record<string, number>; cells: number };
  kafka: { coresOfBroker: number; megabytesPerSecond: number; gigabytes: number; partitions: number };
  coresInAll: number;
  gigabytesInAll: number;
  costPerMonth: number | null;
};

const daySeconds = 86_400;
const [kilo, giga] = [1_000, 1e9];
/** Of what there is, at the peak: the rest is for what fails and what is replaced. */
const usedShare = 0.6;
/** Of each service, of MongoDB's members and of Kafka's brokers: one may be lost while another one is replaced. */
const [fewestPods, copies] = [3, 3];
/** A Node process uses one core, and a little of a second one for its garbage. */
const mostCoresOfPod = 1;
/** What a pod asks for at least, as in the chart; and a member of MongoDB, and a broker. */
const [leastCoresOfPod, leastCoresOfCopy] = [0.2, 1];
/**
 * Beyond these, a replica set is not made larger: there is a further installation, with tenants of its own. The disk is
 * of the largest database, since each may have a replica set.
 */
const [mostCoresOfMember, mostGigabytesOfMember] = [32, 8_000];
/** How long what it has written stays: sessions and grants end, ids of webhooks are forgotten. Others keep for good. */
const keptDays: Record<string, number> = { auth: 30, 'webhook-ingress': 30 };
const forGoodDays = 3 * 365;
export const serviceNames = ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'] as const;

/** Throws RangeError where the plan is of nothing, or of less than nothing. */
export function needsOf(costs: Costs, plan: Plan): Needs {
  const { tenants, perDay, peak, auditDays, prices } = plan;
  for (const [name, value] of Object.entries({ tenants, peak, auditDays, ...perDay }))
    if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be a number that is not below 0`);
  const day = amountsOf(costs, { counts: perDay, seconds: daySeconds, tenants });
  const busiest = Object.fromEntries(
    Object.entries(perDay).map(([name, count]) => [name, (count / daySeconds) * peak]),
  );
  const second = amountsOf(costs, { counts: busiest, seconds: 1, tenants: tenants / 60 });
  const cores = (name: string) => (second.processorMs[name] ?? 0) / kilo / usedShare;

  const services = serviceNames.map(name => ({
    name,
    cores: cores(name),
    pods: Math.max(fewestPods, Math.ceil(cores(name) / mostCoresOfPod)),
    memoryMb: Math.ceil((costs.atRest.memoryMb[name] ?? 0) * 2),
  }));
  const gigabytes = Object.fromEntries(
    Object.entries(day.storeBytes).map(([name, bytes]) => {
      const days = name === 'audit' ? auditDays : (keptDays[name] ?? forGoodDays);
      return [name, (bytes * days) / giga];
    }),
  );
  const cells = Math.max(
    1,
    Math.ceil(cores('mongodb') / mostCoresOfMember),
    Math.ceil(Math.max(...Object.values(gigabytes), 0) / mostGigabytesOfMember),
  );
  const inKafka = gigabytesIn(day);
  const mostPods = Math.max(...services.map(({ pods }) => pods));
  const coresOfMember = Math.max(leastCoresOfCopy, cores('mongodb') / cells);
  const coresOfBroker = Math.max(leastCoresOfCopy, cores('kafka') / cells);
  const ofServices = services.map(({ cores: used, pods }) => Math.max(used, pods * leastCoresOfPod));
  const coresInAll =
    ofServices.reduce((total, one) => total + one, 0) + copies * cells * (coresOfMember + coresOfBroker);
  const gigabytesInAll = copies * (sum(gigabytes) + inKafka);
  return {
    auditEventsPerDay: day.auditEvents,
    auditEventsPerSecondAtPeak: second.auditEvents,
    services,
    mongodb: { coresOfMember, gigabytes, cells },
    kafka: {
      coresOfBroker,
      megabytesPerSecond: sum(second.topicBytes) / 1e6,
      gigabytes: inKafka,
      partitions: Math.max(3, Math.ceil(mostPods / cells)),
    },
    coresInAll,
    gigabytesInAll,
    costPerMonth: prices && coresInAll * prices.core + gigabytesInAll * prices.gigabyte,
  };
}

/** On one broker, by how long each topic keeps. */
function gigabytesIn({ topicBytes }: Amounts): number {
  const kept = Object.entries(topicBytes).map(([name, bytes]) => {
    const retentionMs = Object.hasOwn(topics, name) ? topics[name as keyof typeof topics].retentionMs : -1;
    return bytes * (retentionMs === -1 ? forGoodDays : retentionMs / daySeconds / kilo);
  });
  return kept.reduce((total, one) => total + one, 0) / giga;
}
