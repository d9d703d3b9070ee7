import type { TenantId } from '@reeve/contracts';
import type { Log } from '../log/log.ts';
import { countWhile } from '../log/read-chain.ts';
import { classOf, isIn, type Scope } from './scope.ts';

/**
 * How many records are in a scope now. Those about somebody are read one by one, as they are when they are removed.
 */
export async function countRecords(
  log: Pick<Log, 'records' | 'tombstones' | 'heads'>,
  tenantId: TenantId,
  scope: Scope,
): Promise<number> {
  const { classes, about, from, to = '~' } = scope;
  const records = log.records.in(tenantId);
  let count = 0;
  if (about !== undefined) {
    for await (const { state } of records.all('byAbout', { about })) if (isIn(scope, state)) count += 1;
    return count;
  }
  for await (const { id: chain, state } of log.heads.in(tenantId).all('inOrder', {})) {
    if (classes && !classes.includes(classOf(chain))) continue;
    const of = { tenantId, chain, size: state.sequence };
    const after = from === undefined ? 0 : await countWhile(log, of, loggedAt => loggedAt < from);
    const last = await countWhile(log, of, loggedAt => loggedAt <= to);
    count += await records.count('byChain', { chain }, { range: { after, to: last } });
  }
  return count;
}
