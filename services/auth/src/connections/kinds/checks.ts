// What is looked at in the answer of an identity provider, in which order, so that a test of a connection shows what
// holds, what does not, and what was not looked at any more.
import type { SignInFailure } from '@reeve/contracts';

type CheckName =
  | 'returned'
  | 'accepted'
  | 'exchanged'
  | 'readable'
  | 'addressed'
  | 'decrypted'
  | 'signed'
  | 'meant'
  | 'timely'
  | 'bound'
  | 'named'
  | 'once'
  | 'userInfo'
  | 'mapped'
  | 'open';

/** Checks whose order among one another is not told, and the failures of each. */
export type Stage = Partial<Record<CheckName, readonly SignInFailure[]>>;

export type Check = { name: CheckName; outcome: 'passed' | 'failed' | 'not_reached' };

/** Null where nothing failed. A failure that belongs to no check leaves all of them open. */
export function checksOf(stages: readonly Stage[], failure: SignInFailure | null): Check[] {
  const failing = stages.findIndex(stage => Object.values(stage).some(reasons => reasons.includes(failure as never)));
  const outcomeIn = (at: number, reasons: readonly SignInFailure[]): Check['outcome'] => {
    if (failure === null || at < failing) return 'passed';
    return reasons.includes(failure) && at === failing ? 'failed' : 'not_reached';
  };
  return stages.flatMap((stage, at) =>
    Object.entries(stage).map(([name, reasons]) => ({ name: name as CheckName, outcome: outcomeIn(at, reasons) })),
  );
}

/** After what a kind looks at. */
export const afterwards: readonly Stage[] = [{ mapped: ['attribute_missing'] }, { open: ['domain_enforced'] }];
