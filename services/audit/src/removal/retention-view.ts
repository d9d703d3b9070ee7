import type { TenantId } from '@reeve/contracts';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import type { Policy } from './retention-policy.ts';
import { classOf, type RecordClass, recordClass, recordClasses } from './scope.ts';

export const retentionPath = '/v1/tenants/{tenantId}/audit/retention' as const;

export const days = z.number().int().min(1).max(36_500).nullable().describe('Null keeps for ever');

export const retentionView = z.object({
  classes: z.array(
    z.object({
      class: recordClass,
      days,
      before: z
        .object({ days, until: z.string() })
        .nullable()
        .describe('What counts until then: keeping for less time deletes, and begins after a delay'),
      oldest: z.string().nullable().describe('When the oldest record that is there was chained'),
    }),
  ),
});

export async function viewOf(
  { records, heads }: Pick<Log, 'records' | 'heads'>,
  tenantId: TenantId,
  policy: Policy | undefined,
): Promise<z.infer<typeof retentionView>> {
  const oldest = new Map<RecordClass, string>();
  for await (const { id: chain } of heads.in(tenantId).all('inOrder', {})) {
    const { items } = await records.in(tenantId).list('byChain', { chain }, { limit: 1 });
    const loggedAt = items[0]?.state.loggedAt;
    const known = oldest.get(classOf(chain));
    if (loggedAt !== undefined && (known === undefined || loggedAt < known)) oldest.set(classOf(chain), loggedAt);
  }
  const classes = recordClasses.map(name => {
    const rule = policy?.rules[name];
    return { class: name, days: rule?.days ?? null, before: rule?.before ?? null, oldest: oldest.get(name) ?? null };
  });
  return { classes };
}
