// Has the rules look at what was chained, a batch at a time. It runs before the offsets are committed, so a crash
// repeats it; an alert that has seen a record does not see it again. A rule that fails is logged and holds up nobody's
// log.
import type { AuditRecord, ChainedRecord } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { type Clock, isStoreUnavailable } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { Records } from '../log/record.ts';
import { createAdmins } from './admins.ts';
import type { Alerts } from './alert.ts';
import { type Consideration, createAlerting } from './alerting.ts';
import { createMemories, minuteOf, type Remembered, remember, weightWithin } from './memory.ts';
import type { Notice, Suspicion } from './rule.ts';
import { type RuleParts, type RuleSettings, thresholdsOf, unchanged } from './rule-settings.ts';
import { type RuleId, ruleIds, ruleOf } from './rules.ts';

type Parts = RuleParts & { records: Records; alerts: Alerts; clock: Clock; onError: (error: unknown) => void };

/** A change of a rule counts after that at the latest. */
const settingsKeptMs = 5_000;
const longestSubject = 500;
const looksAtOnce = 8;

type Suspect = Omit<Consideration, 'thresholds'> & { suspicion: Suspicion; remembered: Remembered | null };

const byTrigger = new Map<string, RuleId[]>();
const byRenewal = new Map<string, RuleId[]>();
for (const id of ruleIds) {
  const { triggers, renewedBy = [] } = ruleOf(id);
  for (const type of triggers) byTrigger.set(type, [...(byTrigger.get(type) ?? []), id]);
  for (const type of renewedBy) byRenewal.set(type, [...(byRenewal.get(type) ?? []), id]);
}

const keyOf = (id: RuleId, subject: string) => `${id} ${subject}`;

export function createDetector({ records, alerts, settings, places, clock, onError }: Parts) {
  const now = () => clock.now().getTime();
  const memories = createMemories(now);
  const admins = createAdmins(records);
  const alerting = createAlerting({ records, alerts, places, clock });
  const cached = new LRUCache<TenantId, Map<string, RuleSettings>>({ max: 5_000, ttl: settingsKeptMs });

  async function settingsOf(tenantId: TenantId): Promise<Map<string, RuleSettings>> {
    const known = cached.get(tenantId);
    if (known) return known;
    const found = new Map<string, RuleSettings>();
    for await (const { id, state } of settings.in(tenantId).all('inOrder', {})) found.set(id, state);
    cached.set(tenantId, found);
    return found;
  }

  /** Remembers the record, and says which rules may have something to find by it. Nothing is read. */
  function suspectsIn(record: AuditRecord): Suspect[] {
    const memory = memories.before(record);
    for (const id of byRenewal.get(record.type) ?? []) {
      const remembered = memory?.of.get(keyOf(id, record.target.id ?? ''));
      if (remembered) remembered.inVainAt = null;
    }
    return (byTrigger.get(record.type) ?? []).flatMap(id => {
      const rule = ruleOf(id);
      const subject = rule.subjectOf(record);
      if (subject === null || subject === '' || subject.length > longestSubject) return [];
      const of = { id, rule, record, subject };
      if (!memory) return [{ ...of, suspicion: true, remembered: null }];
      const weight = rule.weightOf?.(record) ?? 1;
      const last = remember(memory, keyOf(id, subject), { record, weight, now: now() });
      const remembered = memory.of.get(keyOf(id, subject)) ?? null;
      const notice: Notice = {
        record,
        before: last,
        weightWithin: (from, to) => remembered && weightWithin(memory, remembered, { from, to, now: now() }),
        now: now(),
      };
      const suspicion = rule.suspects(notice);
      return suspicion === false ? [] : [{ ...of, suspicion, remembered }];
    });
  }

  async function consider({ suspicion, remembered, ...of }: Suspect): Promise<void> {
    const { id, rule, record, subject } = of;
    const tenantId = record.tenantId as TenantId;
    if (rule.needsPlaces && !places()) return;
    const knowledge = { mayBeAdmin: (userId: string) => admins.mayBeAdmin(tenantId, userId) };
    if (rule.concerns && !(await rule.concerns(subject, knowledge))) return;
    const own = (await settingsOf(tenantId)).get(id) ?? unchanged;
    const thresholds = thresholdsOf(rule, own);
    if (!own.enabled || (typeof suspicion === 'function' && !suspicion(thresholds))) return;
    const isInVain = await alerting.consider(tenantId, { ...of, thresholds });
    if (isInVain && remembered) remembered.inVainAt = now();
  }

  return {
    /**
     * Of many suspicious records about one subject, the first and the last of each minute are looked at. Throws where
     * the store does not answer: the batch comes again.
     */
    async examine(chained: readonly ChainedRecord[]): Promise<void> {
      const looks = new Map<string, Suspect[]>();
      for (const { record } of chained) {
        await admins.see(record);
        for (const suspect of suspectsIn(record)) {
          const minute = minuteOf(Date.parse(record.time));
          const key = `${record.tenantId} ${minute} ${keyOf(suspect.id, suspect.subject)}`;
          const [first] = looks.get(key) ?? [];
          looks.set(key, first ? [first, suspect] : [suspect]);
        }
      }
      const waiting = looks.values();
      const work = async () => {
        for (const some of waiting)
          for (const suspect of some)
            await consider(suspect).catch((error: unknown) => {
              if (isStoreUnavailable(error)) throw error;
              onError(error);
            });
      };
      await Promise.all(Array.from({ length: looksAtOnce }, work));
    },
  };
}
