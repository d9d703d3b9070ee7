// A log for tests: records, and what a key of its own signs about them.
import { exportJWK, generateKeyPair } from 'jose';
import { rootOfLeaves } from '../merkle.ts';
import { type AuditRecord, type ChainedRecord, chain, genesisHash } from '../record.ts';
import {
  type ChainHead,
  type Checkpoint,
  leafOfChain,
  type Manifest,
  signStatement,
  type Tombstone,
} from '../statements.ts';

export const tenantId = 'ten_00000000-0000-7000-8000-000000000001';
export const otherTenantId = 'ten_00000000-0000-7000-8000-000000000002';
export const time = '2026-11-21T00:00:00.000Z';
export const [auth, secrets] = ['reeve.auth.v1/0', 'reeve.secret.v1/2'];

type Unchained = Omit<AuditRecord, 'sequence' | 'previousHash'>;

export function event(n: number, chainId = auth, changes: Partial<Unchained> = {}): Unchained {
  return {
    tenantId,
    chain: chainId,
    eventId: `e${n}`,
    type: 'user.created',
    source: '/reeve/test',
    subject: `user/${n}`,
    time,
    correlationId: 'c',
    causationId: null,
    traceId: null,
    actor: { type: 'client', id: 'cli', name: 'Zoë "☃"', via: 'client' },
    target: { type: 'user', id: `usr_${n}`, name: null },
    outcome: 'success',
    reason: { code: 'requested', rule: null, basis: null },
    context: { ip: '192.0.2.1', userAgent: null, sessionId: null, connectionId: null, clientId: null, requestId: null },
    details: { email: `u${n}@example.org`, source: 'admin' },
    ...changes,
  };
}

/** The record after the last of those given. */
export function follow(records: readonly ChainedRecord[], rest: Unchained): ChainedRecord {
  const last = records.at(-1);
  return chain(last ? { hash: last.hash, sequence: last.record.sequence } : null, rest);
}

export function grow(count: number, chainId?: string, changes?: Partial<Unchained>): ChainedRecord[] {
  const records: ChainedRecord[] = [];
  for (let n = 1; n <= count; n += 1) records.push(follow(records, event(n, chainId, changes)));
  return records;
}

export type Key = Parameters<typeof signStatement>[0];

export const newKey = async (kid: string): Promise<Key> => ({
  ...(await exportJWK((await generateKeyPair('Ed25519', { extractable: true })).privateKey)),
  kid,
});

export const publicPart = (key: Key) => Object.fromEntries(Object.entries(key).filter(([name]) => name !== 'd')) as Key;

/** What can be signed about these records. */
export function statementsAbout(records: readonly ChainedRecord[], owner = tenantId) {
  const hashesOf = (name: string) => records.filter(({ record }) => record.chain === name).map(({ hash }) => hash);

  function headOf(name: string, size: number): ChainHead {
    const hashes = hashesOf(name).slice(0, size);
    const root = rootOfLeaves(hashes.map(hash => Buffer.from(hash, 'hex'))).toString('hex');
    return { chain: name, size, head: hashes.at(-1) ?? '', time, root };
  }

  const checkpointOf = (number: number, previous: string, chains: ChainHead[]): Checkpoint => {
    const root = rootOfLeaves(chains.map(leafOfChain)).toString('hex');
    return { tenantId: owner, number, time, previous, root, chains };
  };

  const rangeOf = (name: string, first: number, last: number): Manifest['chains'][number] => {
    const hashes = hashesOf(name);
    return { chain: name, first, last, previousHash: hashes[first - 2] ?? genesisHash, head: hashes[last - 1] ?? '' };
  };

  const manifestOf = (
    chains: Manifest['chains'],
    checkpoint: string,
    [from, to]: [string | null, string | null] = [null, null],
  ): Manifest => ({ tenantId: owner, time, from, to, checkpoint, chains });

  const tombstoneOf = (name: string, places: readonly number[], changes: Partial<Tombstone> = {}): Tombstone => ({
    tenantId: owner,
    chain: name,
    time,
    reason: 'retention',
    reference: 'auth: 90 days',
    removed: places.map(place => ({ first: place, hashes: [hashesOf(name)[place - 1] ?? ''] })),
    ...changes,
  });

  return { hashesOf, headOf, checkpointOf, rangeOf, manifestOf, tombstoneOf };
}
