// Which records a legal hold or a deletion request is about. The class of a record is the topic it came by, so that a
// retention rule takes a chain from its beginning.
import { auditedTopics, type TenantId } from '@reeve/contracts';
import { instant } from '@reeve/service-kit';
import { z } from 'zod';
import type { Log } from '../log/log.ts';
import { countWhile } from '../log/read-chain.ts';
import type { StoredRecord } from '../log/record.ts';

type Named<T extends string> = T extends `reeve.${infer Name}.v1` ? Name : never;
export type RecordClass = Named<(typeof auditedTopics)[number]>;

export const recordClasses = auditedTopics.map(topic => topic.split('.')[1]) as [RecordClass, ...RecordClass[]];

export const recordClass = z
  .enum(recordClasses)
  .describe('Of records: the topic that they came by, as `auth` for reeve.auth.v1');

/** A chain is named `<topic>/<partition>`. */
export const classOf = (chain: string) => chain.split('.')[1] as RecordClass;

const members = z.strictObject({
  classes: z.array(recordClass).min(1).max(recordClasses.length).optional(),
  about: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .describe('A user, session, connector or other id: records in which it acts, is acted on or is named'),
  from: instant.optional().describe('When they were chained, at the earliest'),
  to: instant.optional().describe('When they were chained, at the latest'),
});

/** Each member narrows it. */
export const scope = members.refine(({ from = '', to = '~' }) => from <= to, {
  path: ['to'],
  message: 'must not be before `from`',
});

export type Scope = z.infer<typeof scope>;

export function isIn(
  { classes, about, from, to }: Scope,
  record: Pick<StoredRecord, 'chain' | 'loggedAt' | 'about'>,
): boolean {
  return (
    (!classes || classes.includes(classOf(record.chain))) &&
    (about === undefined || record.about.includes(about)) &&
    (from === undefined || record.loggedAt >= from) &&
    (to === undefined || record.loggedAt <= to)
  );
}

export function inWords({ classes, about, from, to }: Scope): string {
  const parts = [
    classes && `classes ${classes.join(', ')}`,
    about && `about ${about}`,
    from && `from ${from}`,
    to && `to ${to}`,
  ];
  return parts.filter(part => part !== undefined).join('; ') || 'the whole log';
}

/**
 * How many records are in a scope now. Those about somebody are read one by one, as they are when they are removed.
 */
export async function countRecords(
  log: Pick<Log, 'records' | 'tombstones' | 'heads'>,
  tenantId: TenantId,
  within: Scope,
): Promise<number> {
  const { classes, about, from, to = '~' } = within;
  const records = log.records.in(tenantId);
  let count = 0;
  if (about !== undefined) {
    for await (const { state } of records.all('byAbout', { about })) if (isIn(within, state)) count += 1;
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
