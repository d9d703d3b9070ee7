// Builds evidence packages, one at a time: the zip is made as a stream and laid down in pieces. A process that ends in the middle leaves its pieces to
// expire, and another begins anew.
import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { KeySet } from '@reeve/audit-log';
import type { TenantId } from '@reeve/contracts';
import { repeatedly } from '@reeve/service-kit';
import yazl from 'yazl';
import { changeAsService } from '../change-as-service.ts';
import type { Checkpointer } from '../checkpoints/checkpointer.ts';
import { planExport } from '../exports/log-export.ts';
import { leaseFor } from '../lease.ts';
import { begin, type EvidencePackage, type EvidencePackages, fail, pieceId } from './evidence-package.ts';
import {
  checkpointLines,
  controlMapping,
  type FileParts,
  growthProof,
  inclusionProofs,
  newTally,
  recordLines,
  summary,
} from './package-files.ts';

type Parts = FileParts & {
  evidence: EvidencePackages;
  checkpointer: Pick<Checkpointer, 'sign'>;
  publicKeys: () => Promise<KeySet>;
  onError: (error: unknown) => void;
};

const leaseMs = 60_000;
const lookEveryMs = 1_000;
const pieceBytes = 1_000_000;
const tellEvery = 2_000;

/** It was removed, or somebody else builds it. */
class Abandoned extends Error {}

export function createPackageBuilder(parts: Parts) {
  const { evidence, checkpointer, publicKeys, clock, onError } = parts;
  const { packages, pieces } = evidence;
  const holder = randomUUID();
  const rounds = repeatedly(look, lookEveryMs, onError);

  const change = (tenantId: TenantId, id: string, next: (state: EvidencePackage) => EvidencePackage | null) =>
    changeAsService(packages, { tenantId, id }, next);

  const leasing = () => ({ holder, now: clock.now(), forMs: leaseMs });

  /** Also keeps the lease. */
  async function tell(tenantId: TenantId, id: string, progress: EvidencePackage['progress']) {
    const now = rounds.isStopped()
      ? null
      : await change(tenantId, id, was =>
          was.lease?.holder === holder ? { ...was, progress, lease: leaseFor(was.lease, leasing()) } : null,
        );
    if (now?.lease?.holder !== holder) throw new Abandoned();
  }

  /** Lays the zip down as it comes. */
  async function store(tenantId: TenantId, build: string, expiresAt: string, zip: AsyncIterable<Buffer>) {
    const digest = createHash('sha256');
    let [number, bytes] = [0, 0];
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    const flush = async () => {
      const content = Buffer.concat(waiting).toString('base64');
      await pieces.in(tenantId).put(pieceId(build, number), { content, expiresAt });
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

  async function build(tenantId: TenantId, id: string, state: EvidencePackage, buildId: string) {
    const { period, name, expiresAt } = state;
    const checkpoint = await checkpointer.sign(tenantId);
    if (!checkpoint) throw new Error('the log is empty');
    const ranges = await planExport(parts, { tenantId, checkpoint, period });
    const plan = { tenantId, period, checkpoint, ranges };
    const progress = { done: 0, of: ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0) };
    await tell(tenantId, id, progress);
    let told = 0;
    const onPlaces = async (count: number) => {
      progress.done += count;
      if (progress.done - told < tellEvery) return;
      told = progress.done;
      await tell(tenantId, id, progress);
    };
    const tally = newTally();
    const keys = await publicKeys();
    const zip = new yazl.ZipFile();
    const output = zip.outputStream as Readable;
    zip.on('error', error => output.destroy(error as Error));
    const zipped = store(tenantId, buildId, expiresAt, output);
    // Whatever goes wrong while the zip is written is met below.
    zipped.catch(() => undefined);
    const file = (path: string, content: unknown) =>
      zip.addBuffer(Buffer.from(typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`), path);
    const lines = Readable.from(recordLines(parts, plan, tally, onPlaces));
    const read = new Promise<void>((resolve, reject) => lines.once('close', resolve).once('error', reject));
    zip.addReadStream(lines, 'records.ndjson');
    await Promise.race([read, zipped]);
    zip.addReadStream(Readable.from(checkpointLines(parts, plan)), 'checkpoints.ndjson');
    file('keys.json', keys);
    for (const { chain, sequence, proof } of await inclusionProofs(parts, plan))
      file(`proofs/${chain.replaceAll('/', '-')}-${sequence}.json`, proof);
    const consistency = await growthProof(parts, plan);
    if (consistency) file('proofs/consistency.json', consistency);
    file('controls.json', controlMapping(tally));
    const keyIds = keys.keys.map(({ kid }) => String(kid));
    file('README.md', summary(plan, tally, { name, keyIds }));
    zip.end();
    return { ...(await zipped), progress: { done: progress.of, of: progress.of } };
  }

  async function takeTurn(tenantId: TenantId, id: string) {
    const buildId = randomUUID();
    const taken = await change(tenantId, id, was => begin(was, { ...leasing(), build: buildId }));
    if (taken?.build !== buildId) return;
    try {
      const made = await build(tenantId, id, taken, buildId);
      await change(tenantId, id, was =>
        was.build === buildId ? { ...was, ...made, status: 'ready', lease: null, failure: null } : null,
      );
    } catch (error) {
      if (!(error instanceof Abandoned)) onError(error);
      const again = (was: EvidencePackage) => fail(was, 'it could not be built; the log of the service says why');
      const interrupted = (was: EvidencePackage): EvidencePackage => ({
        ...was,
        status: 'waiting',
        attempts: was.attempts - 1,
        lease: null,
      });
      const next = rounds.isStopped() ? interrupted : again;
      await change(tenantId, id, was => (was.build === buildId && was.status === 'building' ? next(was) : null));
    }
  }

  async function look() {
    const due = await packages.acrossTenants('evidence packages of all tenants are built in turns').due(5);
    for (const { tenantId, id } of due) if (!rounds.isStopped()) await takeTurn(tenantId, id);
  }

  return { start: rounds.start, stop: rounds.stop };
}
