// What can be wrong with a log, and how the parts of the verifier say so: they throw a Failure, and whoever reads the
// lines makes a finding of it.
import { StatementError } from '../statements.ts';

export type Problem =
  | 'unreadable'
  | 'fields_differ'
  | 'altered'
  | 'broken_link'
  | 'missing'
  | 'out_of_order'
  | 'other_tenant'
  | 'truncated'
  | 'differs_from_checkpoint'
  | 'differs_from_tombstone'
  | 'not_in_manifest'
  | 'unknown_key'
  | 'bad_signature'
  | 'unsigned';

export type Finding = {
  /** Line of the export, from 1; 0 for what is wrong with the whole. */
  line: number;
  chain: string | null;
  sequence: number | null;
  problem: Problem;
  detail: string;
};

export class Failure extends Error {
  readonly finding: Omit<Finding, 'line'>;

  constructor(problem: Problem, detail: string, place: { chain?: string | undefined; sequence?: number } = {}) {
    super(detail);
    this.finding = { problem, detail, chain: place.chain ?? null, sequence: place.sequence ?? null };
  }
}

/** Throws again what is not the log's fault. */
export function findingOf(error: unknown, line: number): Finding {
  if (error instanceof Failure) return { line, ...error.finding };
  if (error instanceof StatementError)
    return { line, chain: null, sequence: null, problem: error.problem, detail: error.message };
  throw error;
}
