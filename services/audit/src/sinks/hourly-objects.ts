// What an object store gets: of each hour that is over, an export of what was chained in it, and beside it a manifest
// that says that it is whole. An object is an export as any other, so `reeve audit verify` takes it. The name follows
// from where it begins: made again, it is the same object.
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { formats } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import type { Checkpointer } from '../log/checkpointer.ts';
import { linesOfStep, planPart, readRanges, signManifest } from '../log/export-lines.ts';
import type { Log } from '../log/log.ts';
import { type Position, readAfter } from '../log/read-after.ts';
import type { Step } from '../log/read-chain.ts';
import type { StoredObject } from './kinds/delivery.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'heads' | 'signingKey' | 'clock'> & {
  checkpointer: Pick<Checkpointer, 'sign'>;
};

const hourMs = 3_600_000;
/** Records may be chained with a time a little before that of their writing. */
const settledAfterMs = 10_000;
const compress = promisify(gzip);

export type Hour =
  | { waitMs: number; found: Step[] }
  | { objects: StoredObject[]; records: number; position: Position; found: Step[] };

/** The next objects after a position; how long to wait where its hour is not over; null where there is nothing new. */
export async function nextHour(
  parts: Parts,
  { tenantId, position, most }: { tenantId: TenantId; position: Position; most: number },
): Promise<Hour | null> {
  const { found } = await readAfter(parts, { tenantId, position, limit: 1 });
  const [oldest] = found;
  if (!oldest) return null;
  const start = Math.floor(Date.parse(oldest.loggedAt) / hourMs) * hourMs;
  const waitMs = start + hourMs + settledAfterMs - parts.clock.now().getTime();
  if (waitMs > 0) return { waitMs, found };
  const period = { from: new Date(start).toISOString(), to: new Date(start + hourMs - 1).toISOString() };
  const checkpoint = await parts.checkpointer.sign(tenantId);
  const ranges = checkpoint ? await planPart(parts, { tenantId, checkpoint, period, position, most }) : [];
  const [first] = ranges;
  if (!checkpoint || !first) return null;
  const keyId = parts.signingKey().kid;
  const manifest = await signManifest(parts, { checkpoint, period, ranges });
  const lines = [formats.ndjson.writeStatement(manifest)];
  let records = 0;
  for await (const step of readRanges(parts, { tenantId, ranges })) {
    if (step.record) records += 1;
    lines.push(...linesOfStep(step, formats.ndjson, keyId));
  }
  const body = await compress(`${lines.join('\n')}\n`);
  const [date = '', time = ''] = period.from.split('T');
  const name = `${date.replaceAll('-', '/')}/${time.slice(0, 2)}-${first.chain.replaceAll('/', '-')}-${first.first}`;
  const object = `${name}.ndjson.gz`;
  const sha256 = createHash('sha256').update(body).digest('hex');
  const about = {
    object,
    bytes: body.length,
    sha256,
    records,
    from: period.from,
    to: period.to,
    chains: ranges,
    manifest,
  };
  return {
    objects: [
      { path: object, contentType: 'application/gzip', body },
      // Last, so that whoever finds it finds the object whole.
      { path: `${name}.manifest.json`, contentType: 'application/json', body: Buffer.from(JSON.stringify(about)) },
    ],
    records,
    position: { ...position, ...Object.fromEntries(ranges.map(({ chain, last }) => [chain, last])) },
    found,
  };
}
