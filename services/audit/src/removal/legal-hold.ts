// A legal hold keeps the records of its scope, whatever a retention rule or a deletion request says, until it is released.
import type { Collections, Store } from '@reeve/store';
import type { Scope } from './scope.ts';

export type Hold = { name: string; reason: string; scope: Scope; placedAt: string; releasedAt: string | null };
export type Holds = Collections<Hold>;

export function defineHolds(store: Store): Holds {
  return store.collections<Hold>({
    name: 'audit_holds',
    queries: { newest: { equality: [], direction: 'descending' } },
  });
}
