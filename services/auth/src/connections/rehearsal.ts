// What would have become of the sign-ins of the last week with other settings: what each provider said then is mapped
// anew. That signatures hold is not gone through again, since answers are not kept. Expressions of a tenant run for each
// of a thousand sign-ins here, so that others have their turn in between, and all of it an end.
import { setImmediate as others } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { SignInCause } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { signInCauseOf } from '../attempts/cause-of.ts';
import type { Connection } from './connection.ts';
import { noProfile, type UpstreamIdentity } from './kinds/kind.ts';
import { type Mapping, mapIdentity } from './mapping.ts';

/** Of what a provider said, that which a mapping looks at. */
export type Said = Pick<UpstreamIdentity, 'issuer' | 'subject' | 'email' | 'emailVerified' | 'displayName' | 'claims'>;

/** A sign-in that succeeded: what was said, and whether the person was made by it. */
export type Rehearsed = { id: string; said: Said; wasCreated: boolean };

/** `issuer` and `kind` say whose answers are taken, which others than those of now are not. */
export type Settings = Mapping & Pick<Connection, 'issuer' | 'kind' | 'jit'>;

type Failing = { cause: SignInCause; count: number; attempts: string[] };
export type Rehearsal = {
  signIns: number;
  failing: Failing[];
  /** Known by another name than now: to the connection they would be strangers, until they are linked. */
  renamed: number;
  /** Of several people who are told apart now, and would be one. */
  merged: number;
};

const mostExamples = 5;
/** Of work, without the turns of others. */
const longestMs = 2_000;

export async function rehearse(
  signIns: readonly Rehearsed[],
  present: Settings,
  planned: Settings,
): Promise<Rehearsal> {
  const failing = new Map<SignInCause, string[]>();
  const names = new Map<string, Set<string>>();
  const isSame = isDeepStrictEqual(mappingOf(present), mappingOf(planned));
  let [renamed, gone, busyMs] = [0, 0, 0];
  for (const { id, said, wasCreated } of signIns) {
    const began = performance.now();
    const after = subjectBy(planned, said);
    const before = isSame ? after : subjectBy(present, said);
    gone += 1;
    const cause = 'cause' in after ? after.cause : refusedBy(present, planned, wasCreated);
    if (cause !== null) failing.set(cause, [...(failing.get(cause) ?? []), id]);
    if (!('cause' in after || 'cause' in before)) {
      if (after.subject !== before.subject) renamed += 1;
      names.set(after.subject, (names.get(after.subject) ?? new Set()).add(before.subject));
    }
    busyMs += performance.now() - began;
    if (busyMs > longestMs) break;
    await others();
  }
  const merged = [...names.values()].filter(({ size }) => size > 1).reduce((count, { size }) => count + size, 0);
  const causes = [...failing].map(([cause, ids]) => ({
    cause,
    count: ids.length,
    attempts: ids.slice(0, mostExamples),
  }));
  return { signIns: gone, failing: causes.toSorted((one, other) => other.count - one.count), renamed, merged };
}

const mappingOf = ({ attributes, identifier }: Mapping): Mapping => ({ attributes, identifier });

function refusedBy(present: Settings, { kind, issuer, jit }: Settings, wasCreated: boolean): SignInCause | null {
  if (issuer !== present.issuer) return kind === 'saml' ? 'saml_issuer' : 'issuer_wrong';
  return wasCreated && !jit.enabled ? 'identity_unknown' : null;
}

function subjectBy(mapping: Mapping, said: Said): { subject: string } | { cause: SignInCause } {
  const rest = {
    profile: noProfile,
    amr: [],
    acr: null,
    authenticatedAt: null,
    sessionEndsAt: null,
    providerSession: null,
  };
  try {
    return { subject: mapIdentity(mapping, { ...said, ...rest, claimsDropped: [] }).subject };
  } catch (error) {
    if (error instanceof StepError) return { cause: signInCauseOf(error.step, error.seen) };
    throw error;
  }
}
