// What has to hold when a log has no more lines. Pure: the chains are finished.
import type { Manifest } from '../statements.ts';
import type { Chain } from './chain.ts';
import { newer, type SignedCheckpoint } from './checkpoints.ts';
import { Failure } from './finding.ts';
import { assertKept } from './manifest.ts';

export type Ended = {
  chains: ReadonlyMap<string, Chain>;
  manifest: Manifest | null;
  given: readonly SignedCheckpoint[];
  /** The last checkpoint of the log. */
  last: SignedCheckpoint | null;
  isStream: boolean;
  hasKeys: boolean;
  /** When a stream began, where that was not the beginning of the log. */
  since: string | undefined;
};

/** The checkpoint up to which the log was shown to be whole. */
export function assertComplete(ended: Ended): SignedCheckpoint | null {
  const { chains, manifest, given, isStream, hasKeys } = ended;
  if (manifest) assertKept(manifest, chains);
  const newest = given.reduce(newer, null);
  // A stream ends where its records do: they have reached what was given, or that is found below. The feed has no
  // other.
  const last = isStream ? newer(ended.last, newest) : ended.last;
  if (newest && last) assertReaches(last, newest);
  if (hasKeys && !last)
    throw new Failure(
      'unsigned',
      'there is no checkpoint that it could be held against, so nothing shows who wrote this or where it ends',
    );
  if (manifest) return last;
  assertHeadsReached(ended);
  assertNoGapBefore(ended, last);
  if (isStream) assertBegins(ended);
  return last;
}

function assertReaches({ content: last }: SignedCheckpoint, { content: newest }: SignedCheckpoint) {
  const sizes = new Map(last.chains.map(({ chain, size }) => [chain, size]));
  const beyond = newest.chains.find(({ chain, size }) => size > (sizes.get(chain) ?? 0));
  if (!beyond) return;
  const detail = `the log ends with checkpoint ${last.number}, but checkpoint ${newest.number} has more`;
  throw new Failure('truncated', detail, { chain: beyond.chain, sequence: beyond.size });
}

/** Of a chain that had no record since the stream began, nothing has to be there. */
function assertHeadsReached({ chains, since = '' }: Ended) {
  for (const [chain, { heads, position }] of chains) {
    const missing = heads.find(({ time }) => position || time >= since);
    if (!missing) continue;
    const detail = `checkpoint ${missing.checkpoint} tells of ${missing.size} records, the log ends at ${position?.last ?? 'none'}`;
    throw new Failure('truncated', detail, { chain, sequence: missing.size });
  }
}

function assertNoGapBefore({ chains }: Ended, last: SignedCheckpoint | null) {
  for (const { chain, size } of last?.content.chains ?? []) {
    const first = chains.get(chain)?.position?.first ?? 0;
    if (first > size + 1)
      throw new Failure('missing', `records ${size + 1} to ${first - 1} are missing`, { chain, sequence: first });
  }
}

/** Whoever says when a stream began has another clock than whoever chained its records. */
const clocksDifferMs = 60_000;

function assertBegins({ chains, since }: Ended) {
  for (const [chain, { position, headBefore }] of chains) {
    if (!position || position.first === 1) continue;
    const place = { chain, sequence: position.first };
    if (since === undefined)
      throw new Failure(
        'missing',
        `records 1 to ${position.first - 1} are missing: did the stream begin later?`,
        place,
      );
    if (headBefore && Date.parse(headBefore.time) > Date.parse(since) + clocksDifferMs) {
      const detail = `record ${headBefore.size} was chained at ${headBefore.time}, after the stream began, and is missing`;
      throw new Failure('missing', detail, place);
    }
  }
}
