// Signs, at every interval and whenever somebody needs it, where the log of each tenant that grew stands.
import { metrics } from '@opentelemetry/api';
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
import { repeatedly } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { catchUp, frontierOf, type Heads, type Records } from '../chains/chain-store.ts';
import { searchVersion } from '../search/search-fields.ts';
import type { SigningKey } from './checkpoint-keys.ts';
import { type Checkpoints, checkpointId, lastCheckpoint, type Signed, signedOf } from './checkpoint-store.ts';

export type Checkpointer = ReturnType<typeof createCheckpointer>;

type Parts = {
  records: Records;
  heads: Heads;
  checkpoints: Checkpoints;
  signingKey: () => SigningKey;
  clock: Clock;
  intervalMs: number;
  onError: (error: unknown) => void;
};

const meter = metrics.getMeter('@reeve/audit');
const stored = meter.createCounter('reeve.audit.stored', {
  description: 'Records that checkpoints covered for the first time',
});
const searchable = meter.createCounter('reeve.audit.searchable', {
  description: 'Of these, how many a search finds: less than stored means `reeve audit rebuild-search`',
});

const attempts = 10;
const tenantsAtOnce = 8;

export function createCheckpointer({ records, heads, checkpoints, signingKey, clock, intervalMs, onError }: Parts) {
  const grown = new Set<TenantId>();
  const rounds = repeatedly(signGrown, intervalMs, onError);

  async function chainsOf(tenantId: TenantId): Promise<Checkpoint['chains']> {
    const chains: Checkpoint['chains'] = [];
    for await (const { id: chain, state: stored } of heads.in(tenantId).all('inOrder', {})) {
      const head = await catchUp(records, { tenantId, chain, stored });
      if (!head) continue;
      const root = rootOf(frontierOf(head)).toString('hex');
      chains.push({ chain, size: head.sequence, head: head.hash, time: head.loggedAt, root });
    }
    return chains.toSorted((one, other) => (one.chain < other.chain ? -1 : 1));
  }

  const sameHeads = (one: Checkpoint['chains'], other: Checkpoint['chains']) =>
    one.length === other.length && one.every(({ head }, index) => head === other[index]?.head);

  /** The checkpoint that covers all that is in the log now; null while there is nothing. Two that sign at once agree on one. */
  async function sign(tenantId: TenantId): Promise<Signed | null> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const last = await lastCheckpoint(checkpoints, tenantId);
      const chains = await chainsOf(tenantId);
      assertGrown(last, chains);
      if (chains.length === 0 || (last && sameHeads(last.content.chains, chains))) return last;
      const number = (last?.number ?? 0) + 1;
      const time = clock.now().toISOString();
      const root = rootOfLeaves(chains.map(leafOfChain)).toString('hex');
      const previous = last ? hashOfStatement(last.jws) : genesisHash;
      const jws = await signStatement(signingKey(), 'reeve-checkpoint', {
        tenantId,
        number,
        time,
        previous,
        root,
        chains,
      });
      const state = { number, time, jws };
      const cause = serviceCause('audit', { correlationId: newEventId() });
      const decision = { state, events: [published(tenantId, state)] };
      if (!(await checkpoints.in(tenantId).create(checkpointId(number), decision, cause))) continue;
      await measureSearchable(tenantId, last, chains);
      return signedOf(state);
    }
    throw new Error('a checkpoint could not be signed');
  }

  /** What a new checkpoint adds is looked for as a search would find it: 0 is missing by design, and a metric says so. */
  async function measureSearchable(tenantId: TenantId, last: Signed | null, chains: Checkpoint['chains']) {
    for (const { chain, size } of chains) {
      const from = last?.content.chains.find(one => one.chain === chain)?.size ?? 0;
      if (from === size) continue;
      const where = { sequence: { $gt: from, $lte: size }, searchVersion };
      const found = await records.in(tenantId).count('byChain', { chain }, where);
      stored.add(size - from);
      searchable.add(found);
    }
  }

  /** The last checkpoint, or a new one where that does not reach the record yet. */
  async function covering(
    tenantId: TenantId,
    { chain, sequence }: { chain: string; sequence: number },
  ): Promise<Signed> {
    const reaches = ({ content }: Signed) => content.chains.some(one => one.chain === chain && one.size >= sequence);
    const last = await lastCheckpoint(checkpoints, tenantId);
    if (last && reaches(last)) return last;
    const signed = await sign(tenantId);
    if (!signed || !reaches(signed)) throw new Error(`no checkpoint reaches record ${sequence} of ${chain}`);
    return signed;
  }

  async function signGrown() {
    const due = [...grown];
    grown.clear();
    for (let at = 0; at < due.length && !rounds.isStopped(); at += tenantsAtOnce) {
      const some = due.slice(at, at + tenantsAtOnce);
      const results = await Promise.allSettled(some.map(sign));
      for (const [index, result] of results.entries()) {
        if (result.status === 'fulfilled') continue;
        if (some[index]) grown.add(some[index]);
        onError(result.reason);
      }
    }
  }

  /** What grew while nobody was there to see it. */
  async function findGrown() {
    const everywhere = heads.acrossTenants('checkpoints of all that grew before this process started');
    for await (const { tenantId } of everywhere.all()) grown.add(tenantId);
  }

  return {
    sign,
    covering,

    grew: (tenantId: TenantId) => void grown.add(tenantId),

    async start(): Promise<void> {
      await findGrown();
      rounds.start();
    },

    stop: rounds.stop,
  };
}

/** Whatever happened to the store: nobody is given a signature under a log that has fewer records than one before. */
function assertGrown(last: Signed | null, chains: Checkpoint['chains']): void {
  for (const { chain, size } of last?.content.chains ?? []) {
    const now = chains.find(one => one.chain === chain)?.size ?? 0;
    if (now < size) throw new Error(`${chain} has ${now} records, and a checkpoint was signed for ${size}`);
  }
}

/** On the topic of the records, which tells a reader where they end. */
function published(tenantId: TenantId, { number, jws }: { number: number; jws: string }) {
  return {
    topic: 'reeve.audit.v1',
    key: tenantId,
    type: 'checkpoint.signed',
    subject: `checkpoint/${number}`,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(statementToOcsf(jws))),
  };
}
