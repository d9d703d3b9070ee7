// A signed log for tests: what an auditor is handed, and files to hand it over in.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ChainedRecord,
  chain,
  consistencyPath,
  type FormatName,
  formats,
  genesisHash,
  hashOfStatement,
  inclusionPath,
  leafHash,
  leafOfChain,
  type Manifest,
  nodeHash,
  rootOfLeaves,
  type Subtree,
  signStatement,
  type Tombstone,
} from '@reeve/audit-log';

export const tenantId = 'ten_1';
export const time = '2026-11-21T00:00:00.000Z';
export const [auth, secrets] = ['reeve.auth.v1/0', 'reeve.secret.v1/2'];

const directory = mkdtempSync(join(tmpdir(), 'reeve-cli-'));

export function file(name: string, content: string | Buffer | readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(
    path,
    typeof content === 'string' || Buffer.isBuffer(content) ? content : content.map(line => `${line}\n`).join(''),
  );
  return path;
}

export function grow(count: number, of = auth, owner = tenantId): ChainedRecord[] {
  const records: ChainedRecord[] = [];
  for (let n = 1; n <= count; n += 1) {
    const last = records.at(-1);
    records.push(
      chain(last ? { hash: last.hash, sequence: last.record.sequence } : null, {
        tenantId: owner,
        chain: of,
        eventId: `e${n}`,
        type: 'user.created',
        source: '/t',
        subject: 's',
        time,
        correlationId: 'c',
        causationId: null,
        traceId: null,
        actor: { type: 'client', id: null, name: null, via: 'client' },
        target: { type: 'user', id: 'u', name: null },
        outcome: 'success',
        reason: { code: 'r', rule: null, basis: null },
        context: {
          ip: null,
          userAgent: 'curl/8',
          sessionId: null,
          connectionId: null,
          clientId: null,
          requestId: null,
        },
        details: {},
      }),
    );
  }
  return records;
}

export const keyId = 'key-1';
const privateKey = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: keyId };
const { d: _, ...publicKey } = privateKey as Record<string, unknown>;
export const keySet = { keys: [publicKey] };
export const keys = () => file('keys.json', JSON.stringify(keySet));

const bytes = (hash: string) => Buffer.from(hash, 'hex');

/** Records and what is signed about them. */
export function logOf(records: readonly ChainedRecord[], owner = tenantId) {
  const hashesOf = (name: string) => records.filter(({ record }) => record.chain === name).map(({ hash }) => hash);
  const subtreeOf =
    (name: string): Subtree =>
    async (level, index) => {
      if (level === 0) return leafHash(bytes(hashesOf(name)[index] ?? ''));
      const [left, right] = [subtreeOf(name)(level - 1, index * 2), subtreeOf(name)(level - 1, index * 2 + 1)];
      return nodeHash(await left, await right);
    };
  const hex = (path: readonly Buffer[]) => path.map(hash => hash.toString('hex'));

  const checkpoint = (number: number, previous: string | null, sizes: Record<string, number>) => {
    const chains = Object.entries(sizes).map(([name, size]) => {
      const hashes = hashesOf(name).slice(0, size);
      const root = rootOfLeaves(hashes.map(bytes)).toString('hex');
      return { chain: name, size, head: hashes.at(-1) ?? '', time, root };
    });
    return signStatement(privateKey, 'reeve-checkpoint', {
      tenantId: owner,
      number,
      time,
      previous: previous === null ? genesisHash : hashOfStatement(previous),
      root: rootOfLeaves(chains.map(leafOfChain)).toString('hex'),
      chains,
    });
  };

  const rangeOf = (name: string, first: number, last: number): Manifest['chains'][number] => {
    const hashes = hashesOf(name);
    return { chain: name, first, last, previousHash: hashes[first - 2] ?? genesisHash, head: hashes[last - 1] ?? '' };
  };

  const manifest = (
    at: string,
    chains: Manifest['chains'],
    { from = null, to = null }: { from?: string | null; to?: string | null } = {},
  ) => signStatement(privateKey, 'reeve-export', { tenantId: owner, time, from, to, checkpoint: at, chains });

  const tombstone = (places: readonly number[], why: Pick<Tombstone, 'reason' | 'reference'>) =>
    signStatement(privateKey, 'reeve-tombstone', {
      tenantId: owner,
      chain: auth,
      time,
      ...why,
      removed: places.map(place => ({ first: place, hashes: [hashesOf(auth)[place - 1] ?? ''] })),
    });

  return {
    checkpoint,
    rangeOf,
    manifest,
    tombstone,
    inclusion: async (at: string, sequence: number, size: number) => {
      const { canonical: record, hash } = records.find(one => one.record.sequence === sequence) as ChainedRecord;
      return { record, hash, checkpoint: at, path: hex(await inclusionPath(sequence - 1, size, subtreeOf(auth))) };
    },
    consistency: async (from: string, to: string, [older, newer]: [number, number]) => ({
      from,
      to,
      chains: [{ chain: auth, path: hex(await consistencyPath(older, newer, subtreeOf(auth))) }],
    }),
  };
}

/** Six records of one chain and three of another; checkpoint 1 has two of the first. */
export async function sampleLog(format: FormatName = 'ndjson') {
  const records = [...grow(6), ...grow(3, secrets)];
  const log = logOf(records);
  const first = await log.checkpoint(1, null, { [auth]: 2 });
  const second = await log.checkpoint(2, first, { [auth]: 6, [secrets]: 3 });
  const { writeRecord, writeStatement, header } = formats[format];
  const manifest = await log.manifest(second, [log.rangeOf(auth, 1, 6), log.rangeOf(secrets, 1, 3)]);
  const body = records.map(record => writeRecord(record, keyId));
  const lines = [...(header === undefined ? [] : [header]), writeStatement(manifest), ...body];
  return { ...log, records, first, second, body, lines, writeStatement };
}
