// A sign-in on its way to an identity provider and back: what was sent, to be compared with what returns. Found by `state`, used once.
import type { TenantId } from '@reeve/contracts';
import type { PlatformRecords, Store } from '@reeve/store';

type Transaction = {
  interactionUid: string;
  tenantId: TenantId;
  connectionId: string;
  nonce: string;
  codeVerifier: string;
};

export type Transactions = PlatformRecords<Transaction>;

export const transactionLifetimeMs = 10 * 60_000;

export function defineTransactions(store: Store): Transactions {
  return store.platformRecords<Transaction>({
    name: 'sign_in_transactions',
    reason: 'an identity provider returns nothing but `state`',
  });
}
