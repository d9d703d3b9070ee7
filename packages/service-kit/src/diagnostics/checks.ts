// What is judged of what a service stands on: each check has a stable code, and says what to do where it is not well.
// Pure. docs/doctor.md lists the codes.
import type { Topic } from '@reeve/contracts';
import type { Inspected as InspectedBus } from '@reeve/event-bus';
import type { InspectedStore } from '@reeve/store';

export type Check = {
  code: string;
  /** `warning`: it works, and will not for long or not for everybody. */
  status: 'ok' | 'warning' | 'failed';
  /** What was seen. */
  detail: string;
  /** What to do; null where nothing is. */
  advice: string | null;
};

export const ok = (code: string, detail: string): Check => ({ code, status: 'ok', detail, advice: null });
const warning = (code: string, detail: string, advice: string): Check => ({
  code,
  status: 'warning',
  detail,
  advice,
});
export const failed = (code: string, detail: string, advice: string): Check => ({
  code,
  status: 'failed',
  detail,
  advice,
});

/** The oldest that tests run on. */
const oldestMongodb = 6;
const fewestCopies = 3;
/** Tokens are taken from clocks that differ by five seconds. */
const clockWarnsMs = 1_000;
const clockFailsMs = 5_000;
const manyBehind = 10_000;
const listed = 5;

const some = (names: readonly string[]) =>
  names.length > listed ? `${names.slice(0, listed).join(', ')} and ${names.length - listed} more` : names.join(', ');

export function checksOfStore({
  version,
  members,
  clockAheadMs,
  missingIndexes,
  overdueOutboxes,
}: InspectedStore): Check[] {
  return [
    Number.parseInt(version, 10) < oldestMongodb
      ? failed('store_version', `MongoDB ${version}`, `Upgrade MongoDB to ${oldestMongodb}.0 or newer.`)
      : ok('store_version', `MongoDB ${version}`),
    copies('store_replicas', members, 'members of the replica set', 'Give the replica set three members.'),
    clock('store_clock', clockAheadMs, 'MongoDB'),
    missingIndexes.length > 0
      ? failed(
          'store_indexes',
          `missing: ${some(missingIndexes)}`,
          'Restart the service: it makes what is missing when it starts.',
        )
      : ok('store_indexes', 'all that are declared are there'),
    overdueOutboxes.length > 0
      ? failed(
          'store_outbox',
          `events wait for longer than a minute in ${some(overdueOutboxes)}`,
          'See whether Kafka takes messages (docs/runbooks/lost-broker.md).',
        )
      : ok('store_outbox', 'nothing waits for its publication'),
  ];
}

export function checksOfBus({ brokers, topics, groups }: InspectedBus, declared: Record<string, Topic>): Check[] {
  const missing = [...topics].flatMap(([name, state]) => (state ? [] : [name]));
  const there = [...topics].flatMap(([name, state]) => (state ? [{ name, ...state, wanted: declared[name] }] : []));
  const narrower = there.filter(({ partitions, wanted }) => partitions < (wanted?.partitions ?? 0));
  const otherwise = there.filter(({ compacted, wanted }) => compacted !== null && compacted !== wanted?.compacted);
  const shorter = there.filter(({ retentionMs, wanted }) => isShorter(retentionMs, wanted?.retentionMs ?? 0));
  const unhealthy = there.filter(({ unhealthyPartitions }) => unhealthyPartitions > 0);
  const names = (list: readonly { name: string }[]) => some(list.map(({ name }) => name));
  const behind = groups.filter(({ messagesBehind }) => messagesBehind > manyBehind);
  const letters = groups.filter(({ deadLetters }) => deadLetters > 0);
  return [
    missing.length > 0
      ? failed(
          'kafka_topics',
          `missing: ${some(missing)}`,
          'Restart the service, or have whoever may make topics make them.',
        )
      : ok('kafka_topics', `${topics.size} topics are there`),
    narrower.length > 0
      ? warning(
          'kafka_partitions',
          `fewer than declared: ${names(narrower)}`,
          'Nothing is lost, and fewer instances share the work. Raise partitions as docs/sizing.md says.',
        )
      : ok('kafka_partitions', 'as many as declared, or more'),
    otherwise.length > 0 || shorter.length > 0
      ? failed(
          'kafka_retention',
          [
            ...(otherwise.length > 0 ? [`cleanup.policy is another: ${names(otherwise)}`] : []),
            ...(shorter.length > 0 ? [`kept for a shorter time than declared: ${names(shorter)}`] : []),
          ].join('; '),
          'Set cleanup.policy and retention.ms of the topic as docs/kubernetes.md has them: readers build on them.',
        )
      : ok('kafka_retention', 'kept as declared'),
    copies('kafka_brokers', brokers, 'brokers', 'Run three brokers.'),
    copies(
      'kafka_replication',
      Math.min(fewestCopies, ...there.map(({ replicas }) => replicas)),
      'copies of each partition, or more',
      'Set replication.factor to 3 and min.insync.replicas to 2 for every topic.',
    ),
    unhealthy.length > 0
      ? failed(
          'kafka_partitions_healthy',
          `without a leader or a copy in sync: ${names(unhealthy)}`,
          'See docs/runbooks/lost-broker.md.',
        )
      : ok('kafka_partitions_healthy', 'every partition has its leader and all copies in sync'),
    behind.length > 0
      ? warning(
          'kafka_lag',
          behind.map(({ group, messagesBehind }) => `${group} is ${messagesBehind} messages behind`).join('; '),
          'See whether it shrinks; if not, read the log of the service, and add instances up to the partitions.',
        )
      : ok('kafka_lag', `${groups.length} groups, none more than ${manyBehind} messages behind`),
    letters.length > 0
      ? warning(
          'kafka_dead_letters',
          letters.map(({ group, deadLetters }) => `${deadLetters} of ${group}`).join('; '),
          'See docs/runbooks/poison-event.md.',
        )
      : ok('kafka_dead_letters', 'none'),
  ];
}

/** `aheadMs` is by how much the other clock is ahead of ours. */
export function clock(code: string, aheadMs: number, whose: string): Check {
  const off = Math.abs(aheadMs);
  const detail = `${whose} is ${off} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} this clock`;
  const advice = 'Set both clocks by NTP (docs/runbooks/clock-drift.md).';
  if (off > clockFailsMs) return failed(code, detail, advice);
  return off > clockWarnsMs ? warning(code, detail, advice) : ok(code, detail);
}

/** One copy of anything is lost with its machine. */
function copies(code: string, count: number, what: string, advice: string): Check {
  const detail = `${count} ${what}`;
  return count < fewestCopies ? warning(code, detail, advice) : ok(code, detail);
}

const isShorter = (found: number | null, wanted: number) =>
  found !== null && found !== -1 && (wanted === -1 || found < wanted);
