// Which records a legal hold or a deletion request is about. The class of a record is the topic it came by, so that a
// retention rule takes a chain from its beginning.
import { auditedTopics } from '@reeve/contracts';
import { instant } from '@reeve/service-kit';
import { z } from 'zod';
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
