// Builds evidence packages, one at a time: the zip is made as a stream and stored in pieces. A process that ends in
// the middle leaves its pieces to expire, and another begins anew.
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { TenantId } from '@reeve/contracts';
import { type Held, leased, worker } from '@reeve/service-kit';
import yazl from 'yazl';
import type { Checkpointer } from '../log/checkpointer.ts';
import { planExport } from '../log/export-lines.ts';
import type { SigningKeys } from '../log/signing-key.ts';
import { type Evidence, type EvidencePackage, fail, finish, interrupt, pieceId, take } from './evidence-package.ts';
import {
  checkpointLines,
  controlMapping,
  type FileParts,
  growthProof,
  inclusionProofs,
  newTally,
  recordLines,
} from './package-files.ts';
import { summary } from './package-summary.ts';

type Parts = FileParts &
  Evidence & {
    checkpointer: Pick<Checkpointer, 'sign'>;
    keys: Pick<SigningKeys, 'published'>;
    /** Awaited now and then: requests come first. */
    giveWay: () => Promise<void>;
    onError: (error: unknown) => void;
  };

type Made = Pick<EvidencePackage, 'bytes' | 'pieces' | 'sha256'>;

const leaseMs = 60_000;
const lookEveryMs = 3_000;
const pieceBytes = 1_000_000;
/** So many places of the log later, how far it is is written, and the lease renewed. */
const noteEvery = 2_000;
/** So many places. */
const giveWayEvery = 100;

/** It was removed, somebody else builds it, or the service stops. */
class Abandoned extends Error {}

export function createPackageBuilder(parts: Parts) {
  const { packages, pieces, checkpointer, keys, clock, giveWay, onError } = parts;

  async function storePieces(tenantId: TenantId, { build, expiresAt }: EvidencePackage, zip: AsyncIterable<Buffer>) {
    const digest = createHash('sha256');
    let [number, bytes] = [0, 0];
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    const flush = async () => {
      const content = Buffer.concat(waiting).toString('base64');
      await pieces.in(tenantId).put(pieceId(build ?? '', number), { content, expiresAt });
      number += 1;
      waiting = [];
      waitingBytes = 0;
    };
    for await (const chunk of zip) {
      digest.update(chunk);
      bytes += chunk.length;
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= pieceBytes) await flush();
    }
    if (waiting.length > 0) await flush();
    return { bytes, pieces: number, sha256: digest.digest('hex') };
  }

  async function noteProgress(turn: Held<EvidencePackage>, progress: EvidencePackage['progress']) {
    const renewed = building.isStopped() ? null : await turn.renew(was => ({ ...was, progress }));
    if (!renewed) throw new Abandoned();
  }

  async function build(turn: Held<EvidencePackage>): Promise<Made> {
    const { tenantId, state } = turn;
    const { period, name } = state;
    const checkpoint = await checkpointer.sign(tenantId);
    if (!checkpoint) throw new Error('the log is empty');
    const ranges = await planExport(parts, { tenantId, checkpoint, period });
    const plan = { tenantId, period, checkpoint, ranges };
    const progress = { done: 0, of: ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) };
    await noteProgress(turn, progress);
    let noted = 0;
    const onPlaces = async (count: number) => {
      progress.done += count;
      if (progress.done % giveWayEvery === 0) await giveWay();
      if (progress.done - noted < noteEvery) return;
      noted = progress.done;
      await noteProgress(turn, progress);
    };
    const tally = newTally();
    const publicKeys = await keys.published();
    const zip = new yazl.ZipFile();
    const output = zip.outputStream as Readable;
    zip.on('error', error => output.destroy(error as Error));
    const stored = storePieces(tenantId, state, output);
    // Whatever goes wrong while the zip is written is met below.
    stored.catch(() => undefined);
    const file = (path: string, content: unknown) =>
      zip.addBuffer(Buffer.from(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`), path);
    const lines = Readable.from(recordLines(parts, plan, tally, onPlaces));
    const read = new Promise<void>((resolve, reject) => lines.once('close', resolve).once('error', reject));
    zip.addReadStream(lines, 'records.ndjson');
    await Promise.race([read, stored]);
    zip.addReadStream(Readable.from(checkpointLines(parts, plan)), 'checkpoints.ndjson');
    file('keys.json', publicKeys);
    for (const { chain, sequence, proof } of await inclusionProofs(parts, plan))
      file(`proofs/${chain.replaceAll('/', '-')}-${sequence}.json`, proof);
    const consistency = await growthProof(parts, plan);
    if (consistency) file('proofs/consistency.json', consistency);
    file('controls.json', controlMapping(tally));
    const keyIds = publicKeys.keys.map(({ kid }) => String(kid));
    file('README.md', summary(plan, tally, { name, keyIds }));
    zip.end();
    return stored;
  }

  async function work(turn: Held<EvidencePackage>): Promise<void> {
    try {
      const made = await build(turn);
      await turn.change(was => finish(was, made));
    } catch (error) {
      if (!(error instanceof Abandoned)) onError(error);
      await turn.change(was =>
        building.isStopped() ? interrupt(was) : fail(was, 'it could not be built; the log of the service says why'),
      );
    }
  }

  const reason = 'evidence packages of all tenants are built in turns';
  const building = worker({
    ...leased({ collection: packages, reason, take, forMs: leaseMs, clock, service: 'audit' }),
    work,
    atOnce: 1,
    everyMs: lookEveryMs,
    onError,
  });

  return { start: building.start, stop: building.stop };
}
