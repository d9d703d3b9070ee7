// Signs where the log of each tenant that grew stands: some time after it grew, and whenever somebody needs it.
import { metrics, type ObservableCallback } from '@opentelemetry/api';
import {
  type Checkpoint,
  genesisHash,
  hashOfStatement,
  leafOfChain,
  rootOf,
  rootOfLeaves,
  signStatement,
  statementToOcsf,
} from '@reeve/audit-log';
import { newEventId, serviceCause, type TenantId } from '@reeve/contracts';
import { worker } from '@reeve/service-kit';
import type { RawDraft } from '@reeve/store';
import { checkpointId, lastCheckpoint, type SignedCheckpoint, type StoredCheckpoint, signedOf } from './checkpoint.ts';
import { countVerification } from './count-verifications.ts';
import { catchUpAll, frontierOf, type Head } from './head.ts';
import type { Log } from './log.ts';
import { searchVersion } from './search-fields.ts';

export type Checkpointer = ReturnType<typeof createCheckpointer>;

type Parts = Pick<Log, 'records' | 'heads' | 'checkpoints' | 'signingKey' | 'clock'> & {
  /** How long after it grew a log is signed. */
  intervalMs: number;
  /** Awaited before each that nobody asked for: requests come first. */
  giveWay: () => Promise<void>;
  onError: (error: unknown) => void;
};

type Chains = Checkpoint['chains'];

const meter = metrics.getMeter('@reeve/audit');
const stored = meter.createCounter('reeve.audit.stored', {
  description: 'Records that checkpoints covered for the first time, of the checkpoints that were measured',
});
const searchable = meter.createCounter('reeve.audit.searchable', {
  description: 'Of these, how many a search finds: less than stored means `reeve audit rebuild-search`',
});

const unsigned = meter.createObservableGauge('reeve.audit.checkpoint.age', {
  unit: 's',
  description: 'How long the log has waited for a signature that has waited longest since it grew',
});

const failures = meter.createCounter('reeve.audit.checkpoint.failures', {
  description: 'Times that a log could not be signed; it is tried again',
});

const attempts = 10;
/** Of the checkpoints: to count what a search finds costs as much as to sign. */
const measuredPart = 0.1;
const lookEveryMs = 1_000;
/** Nobody waits for these: where very many logs grew at once, they are signed a few at a time. */
const signedAtOnce = 2;

export function createCheckpointer(parts: Parts) {
  const { records, heads, checkpoints, signingKey, clock, intervalMs, giveWay, onError } = parts;
  /** When they are to be signed (milliseconds since the epoch), in this order. */
  const grown = new Map<TenantId, number>();
  const observeOldest: ObservableCallback = result => {
    const [dueAt] = grown.values();
    result.observe(dueAt === undefined ? 0 : Math.max(0, Date.now() - (dueAt - intervalMs)) / 1_000);
  };

  async function chainsOf(tenantId: TenantId): Promise<Chains> {
    const stored: { tenantId: TenantId; chain: string; stored: Head }[] = [];
    for await (const { id: chain, state } of heads.in(tenantId).all('inOrder', {}))
      stored.push({ tenantId, chain, stored: state });
    const chains = (await catchUpAll(records, stored)).flatMap(({ chain, head }) => {
      const root = rootOf(frontierOf(head)).toString('hex');
      return head ? [{ chain, size: head.sequence, head: head.hash, time: head.loggedAt, root }] : [];
    });
    return chains.toSorted((one, other) => (one.chain < other.chain ? -1 : 1));
  }

  /** Of all that is in the log now; null while there is nothing. Two that sign at once agree on one. */
  async function sign(tenantId: TenantId): Promise<SignedCheckpoint | null> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const last = await lastCheckpoint(checkpoints, tenantId);
      const chains = await chainsOf(tenantId);
      assertGrown(last, chains);
      if (chains.length === 0 || (last && areSame(last.content.chains, chains))) return last;
      const number = (last?.number ?? 0) + 1;
      const time = clock.now().toISOString();
      const root = rootOfLeaves(chains.map(leafOfChain)).toString('hex');
      const previous = last ? hashOfStatement(last.jws) : genesisHash;
      const content = { tenantId, number, time, previous, root, chains };
      const state = { number, time, jws: await signStatement(signingKey(), 'reeve-checkpoint', content) };
      const cause = serviceCause('audit', { correlationId: newEventId() });
      const decision = { state, events: [published(tenantId, state)] };
      if (!(await checkpoints.in(tenantId).create(checkpointId(number), decision, cause))) continue;
      if (Math.random() < measuredPart) await measureSearchable(tenantId, last, chains);
      return signedOf(state);
    }
    throw new Error('a checkpoint could not be signed');
  }

  /**
   * What a new checkpoint adds is looked for as a search would find it: nothing is missing by design, and a metric
   * says so.
   */
  async function measureSearchable(tenantId: TenantId, last: SignedCheckpoint | null, chains: Chains) {
    for (const { chain, size } of chains) {
      const after = last?.content.chains.find(one => one.chain === chain)?.size ?? 0;
      if (after === size) continue;
      const added = { range: { after, to: size }, only: { searchVersion } };
      stored.add(size - after);
      searchable.add(await records.in(tenantId).count('byChain', { chain }, added));
    }
  }

  /** The last checkpoint, or a new one where that does not reach the record yet. */
  async function covering(
    tenantId: TenantId,
    { chain, sequence }: { chain: string; sequence: number },
  ): Promise<SignedCheckpoint> {
    const reaches = ({ content }: SignedCheckpoint) =>
      content.chains.some(one => one.chain === chain && one.size >= sequence);
    const last = await lastCheckpoint(checkpoints, tenantId);
    if (last && reaches(last)) return last;
    const signed = await sign(tenantId);
    if (!signed || !reaches(signed)) throw new Error(`no checkpoint reaches record ${sequence} of ${chain}`);
    return signed;
  }

  function grew(tenantId: TenantId, inMs = intervalMs): void {
    if (!grown.has(tenantId)) grown.set(tenantId, Date.now() + inMs);
  }

  const signing = worker({
    async due(limit) {
      const due: { tenantId: TenantId; id: string }[] = [];
      for (const [tenantId, dueAt] of grown) {
        if (due.length === limit || dueAt > Date.now()) break;
        due.push({ tenantId, id: tenantId });
      }
      return due;
    },
    async take({ tenantId }) {
      grown.delete(tenantId);
      return tenantId;
    },
    async work(tenantId) {
      await giveWay();
      await sign(tenantId).catch((error: unknown) => {
        grew(tenantId);
        failures.add(1);
        throw error;
      });
    },
    atOnce: signedAtOnce,
    everyMs: Math.min(lookEveryMs, intervalMs),
    onError,
  });

  return {
    sign,
    covering,

    grew: (tenantId: TenantId) => grew(tenantId),

    /** Also signs what grew while nobody was there to see it. */
    async start(): Promise<void> {
      const everywhere = heads.acrossTenants('checkpoints of all that grew before this process started');
      for await (const { tenantId } of everywhere.all()) grew(tenantId, 0);
      signing.start();
      unsigned.addCallback(observeOldest);
    },

    async stop(): Promise<void> {
      unsigned.removeCallback(observeOldest);
      await signing.stop();
    },
  };
}

const areSame = (one: Chains, other: Chains) =>
  one.length === other.length && one.every(({ head }, index) => head === other[index]?.head);

/** Whatever happened to the store: nobody is given a signature under a log that has fewer records than one before. */
function assertGrown(last: SignedCheckpoint | null, chains: Chains): void {
  for (const { chain, size } of last?.content.chains ?? []) {
    const now = chains.find(one => one.chain === chain)?.size ?? 0;
    if (now >= size) continue;
    countVerification('checkpoint', false);
    throw new Error(`${chain} has ${now} records, and a checkpoint was signed for ${size}`);
  }
  countVerification('checkpoint', true);
}

/** On the topic of the records, where a reader learns from it where they end. */
const published = (tenantId: TenantId, { number, jws }: StoredCheckpoint): RawDraft => ({
  topic: 'reeve.audit.v1',
  key: tenantId,
  type: 'checkpoint.signed',
  subject: `checkpoint/${number}`,
  contentType: 'application/json',
  data: Buffer.from(JSON.stringify(statementToOcsf(jws))),
});
