// An evidence package: a zip for an auditor, made in the background and kept for a week. It lies in the store in pieces, since a service has no disk of its own.
import type { Collections, Store } from '@reeve/store';
import { type Lease, leaseFor } from '../lease.ts';

export type Period = { from: string; to: string };

export type EvidencePackage = {
  name: string;
  period: Period;
  status: 'waiting' | 'building' | 'ready' | 'failed';
  requestedAt: string;
  requestedBy: { type: string; id: string | null; name: string | null };
  expiresAt: string;
  lease: Lease;
  /** Which attempt its pieces are of. */
  build: string | null;
  attempts: number;
  /** Places of the log: those read so far, and all that it will have. */
  progress: { done: number; of: number };
  /** Of the zip, once it is ready. */
  bytes: number;
  sha256: string | null;
  pieces: number;
  failure: string | null;
};

/** In base64. */
type Piece = { content: string; expiresAt: string };

export type EvidencePackages = { packages: Collections<EvidencePackage>; pieces: Collections<Piece> };

const keptForMs = 7 * 86_400_000;
const mostAttempts = 3;

export function defineEvidence(store: Store): EvidencePackages {
  return {
    packages: store.collections<EvidencePackage>({
      name: 'audit_evidence_packages',
      queries: { newest: { equality: [], direction: 'descending' } },
      expiresAt: ({ expiresAt }) => new Date(expiresAt),
      dueAt: ({ status, lease }) =>
        status === 'waiting' || status === 'building' ? new Date(lease?.until ?? 0) : null,
    }),
    pieces: store.collections<Piece>({
      name: 'audit_evidence_pieces',
      expiresAt: ({ expiresAt }) => new Date(expiresAt),
    }),
  };
}

export const pieceId = (build: string, number: number) => `${build}/${number}`;

export function request(asked: Pick<EvidencePackage, 'name' | 'period' | 'requestedBy'>, now: Date): EvidencePackage {
  return {
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
}

/** Null while somebody else builds it, or when there is nothing to build. */
export function begin(
  state: EvidencePackage,
  { build, ...by }: Parameters<typeof leaseFor>[1] & { build: string },
): EvidencePackage | null {
  if (state.status !== 'waiting' && state.status !== 'building') return null;
  const lease = leaseFor(state.lease, by);
  if (!lease) return null;
  return { ...state, status: 'building', lease, build, attempts: state.attempts + 1, progress: { done: 0, of: 0 } };
}

export function fail(state: EvidencePackage, failure: string): EvidencePackage {
  const again = state.attempts < mostAttempts;
  return { ...state, status: again ? 'waiting' : 'failed', lease: null, failure };
}
