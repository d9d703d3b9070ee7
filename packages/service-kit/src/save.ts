// The two ways in which a request changes something: it makes it, once however often it is sent, or it changes what is
// there.
import { type Cause, type ProblemCode, ProblemError } from '@reeve/contracts';
import { type ChangeOptions, type Decision, DuplicateKeyError, type Entry, type TenantCollection } from '@reeve/store';

type Refusals = {
  /** The code for each unique key that somebody else may hold. */
  taken?: Readonly<Record<string, ProblemCode>>;
};

function refusedAs(error: unknown, { taken = {} }: Refusals): unknown {
  const code = error instanceof DuplicateKeyError ? taken[error.unique] : undefined;
  return code === undefined ? error : new ProblemError(code, undefined, { cause: error });
}

/**
 * Creates under an id that follows from the request (`freshId`). A request that is sent again, after a crash came
 * between the creation and its answer, finds what it made: then `isNew` is false.
 */
export async function createOnce<S>(
  collection: TenantCollection<S>,
  id: string,
  decision: NonNullable<Decision<S>>,
  { cause, ...refusals }: { cause: Cause } & Refusals,
): Promise<{ entry: Entry<S>; isNew: boolean }> {
  try {
    const created = await collection.create(id, decision, cause);
    if (created) return { entry: created, isNew: true };
  } catch (error) {
    // Of two indexes that would refuse, the store names either: our own earlier try holds the unique key as well.
    const isOurs = error instanceof DuplicateKeyError && (await collection.get(id)) !== null;
    if (!isOurs) throw refusedAs(error, refusals);
  }
  const entry = await collection.get(id);
  if (!entry) throw new ProblemError('conflict');
  return { entry, isNew: false };
}

/**
 * Changes what is there. Throws `not_found` when it is not, `precondition_failed` when it is not in the version that
 * the caller has seen.
 */
export async function changeExisting<S>(
  collection: TenantCollection<S>,
  id: string,
  decide: (state: S) => Decision<S>,
  { cause, expectedVersion, gather, ...refusals }: ChangeOptions<S> & Refusals,
): Promise<Entry<S>> {
  try {
    const options = { cause, expectedVersion, ...(gather ? { gather } : {}) };
    const entry = await collection.change(id, state => state && decide(state), options);
    if (entry) return entry;
  } catch (error) {
    throw refusedAs(error, refusals);
  }
  throw new ProblemError('not_found');
}

/** Throws `not_found` for what is not there, and `precondition_failed` where the caller has seen another version. */
export async function readExisting<S>(
  collection: TenantCollection<S>,
  id: string,
  { expectedVersion }: { expectedVersion?: number | undefined } = {},
): Promise<Entry<S>> {
  const entry = await collection.get(id);
  if (!entry) throw new ProblemError('not_found');
  if (expectedVersion !== undefined && entry.version !== expectedVersion) throw new ProblemError('precondition_failed');
  return entry;
}
