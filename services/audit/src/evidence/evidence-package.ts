// An evidence package: a zip for an auditor, made in the background and kept for a week. It lies in the store in
// pieces, since a service has no disk of its own.
import { type Actor, event, type Id } from '@reeve/contracts';
import { type Lease, type LeaseBy, leaseFor } from '@reeve/service-kit';
import { type Collections, type Contents, collection, type Decision, type Entry, type Store } from '@reeve/store';
import { z } from 'zod';

const period = z.object({ from: z.string(), to: z.string() });
export type Period = z.infer<typeof period>;

const shown = z.object({
  name: z.string(),
  period,
  status: z.enum(['waiting', 'building', 'ready', 'failed']),
  progress: z.object({ done: z.number(), of: z.number() }).describe('Places of the log'),
  requestedAt: z.string(),
  expiresAt: z.string().describe('When it is forgotten'),
  bytes: z.number(),
  sha256: z.string().nullable().describe('Of the zip'),
  failure: z.string().nullable(),
});

export type EvidencePackage = z.infer<typeof shown> & {
  requestedBy: Pick<Actor, 'type' | 'id' | 'name'>;
  lease: Lease;
  /** Whose pieces are those of the zip: a package may be begun more than once. */
  build: string | null;
  attempts: number;
  pieces: number;
};

type Piece = {
  /** In base64. */
  content: string;
  expiresAt: string;
};

export type EvidencePackages = Collections<EvidencePackage>;
export type EvidencePieces = Collections<Piece>;
export type Evidence = { packages: EvidencePackages; pieces: EvidencePieces };

const keptForMs = 7 * 86_400_000;
const mostAttempts = 3;

const packages = collection<EvidencePackage>({
  name: 'audit_evidence_packages',
  queries: { newest: { equality: [], direction: 'descending' } },
  expiresAt: ({ expiresAt }) => new Date(expiresAt),
  dueAt: ({ status, lease }) => (status === 'waiting' || status === 'building' ? new Date(lease?.until ?? 0) : null),
});

const pieces = collection<Piece>({
  name: 'audit_evidence_pieces',
  expiresAt: ({ expiresAt }) => new Date(expiresAt),
});

export const evidenceCollections = [packages, pieces] satisfies Contents['collections'];

export const openEvidence = (store: Store): Evidence => ({
  packages: store.collection(packages),
  pieces: store.collection(pieces),
});

export const packagesPath = '/v1/tenants/{tenantId}/audit/evidence-packages' as const;

export const packageView = shown.extend({ id: z.string() });

export const viewOf = ({ id, state }: Entry<EvidencePackage>) => packageView.parse({ id, ...state });

export const pieceId = (build: string, number: number) => `${build}/${number}`;

export const pieceIds = ({ build, pieces: count }: EvidencePackage): string[] =>
  Array.from({ length: count }, (_, number) => pieceId(build ?? '', number));

type PackageId = Id<'evidence'>;

const about = (id: PackageId, { name, period, sha256 }: EvidencePackage) =>
  ({ id, name, because: 'requested', details: { ...period, sha256 } }) as const;

export function request(
  id: PackageId,
  asked: Pick<EvidencePackage, 'name' | 'period' | 'requestedBy'>,
  now: Date,
): NonNullable<Decision<EvidencePackage>> {
  const state: EvidencePackage = {
    ...asked,
    status: 'waiting',
    requestedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + keptForMs).toISOString(),
    lease: null,
    build: null,
    attempts: 0,
    progress: { done: 0, of: 0 },
    bytes: 0,
    sha256: null,
    pieces: 0,
    failure: null,
  };
  return { state, events: [event('evidence_package.requested', about(id, state))] };
}

export const downloaded = (id: PackageId, state: EvidencePackage) =>
  event('evidence_package.downloaded', about(id, state));

/** It expires at once; whoever builds it has no lease any more. */
export const remove = (id: PackageId, was: EvidencePackage, now: Date): Decision<EvidencePackage> => ({
  state: { ...was, status: 'failed', lease: null, expiresAt: now.toISOString() },
  events: [event('evidence_package.deleted', about(id, was))],
});

/** Null while somebody else builds it, or when there is nothing to build. */
export function take(state: EvidencePackage, by: LeaseBy): EvidencePackage | null {
  const lease = leaseFor(state.lease, by);
  if (!lease || (state.status !== 'waiting' && state.status !== 'building')) return null;
  if (state.build === by.holder) return { ...state, lease };
  const { holder: build } = by;
  return { ...state, status: 'building', lease, build, attempts: state.attempts + 1, progress: { done: 0, of: 0 } };
}

/** The service stops: that is no failure of the package's. */
export const interrupt = (state: EvidencePackage): EvidencePackage => ({
  ...state,
  status: 'waiting',
  lease: null,
  attempts: state.attempts - 1,
});

export function fail(state: EvidencePackage, failure: string): EvidencePackage {
  const again = state.attempts < mostAttempts;
  return { ...state, status: again ? 'waiting' : 'failed', lease: null, failure };
}

export const finish = (
  state: EvidencePackage,
  made: Pick<EvidencePackage, 'bytes' | 'sha256' | 'pieces'>,
): EvidencePackage => {
  const { of } = state.progress;
  return { ...state, ...made, status: 'ready', lease: null, failure: null, progress: { done: of, of } };
};
