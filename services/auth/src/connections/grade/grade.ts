// How a connection stands with IPSIE's session lifecycle levels, clause by clause. What the protocol has to do with it
// is said by the kind; here is what holds for connections of every kind. Pure. It grades sessions alone: account
// lifecycle (AL) is a matter of directories.
import { z } from 'zod';
import type { Connection } from '../connection.ts';
import { broken, type Clause, clauseSchema, held, levels, unknown } from '../kinds/clause.ts';

export const gradeSchema = z.object({
  level: z
    .enum(['none', ...levels])
    .describe(
      'The highest one of which, and of those below it, no clause is broken. Clauses whose `holds` is null do not ' +
        'count against it: it is reached if the identity provider sees to them',
    ),
  clauses: z.array(clauseSchema),
});
export type Grade = z.infer<typeof gradeSchema>;

export function gradeOf(connection: Connection, ofKind: readonly Clause[]): Grade {
  const all = [...ofKind, ofSessionLifetime, ofSubject(connection), ofLinking(connection), ofBreakGlass, ...ofSignals];
  const clauses = levels.flatMap(level => all.filter(clause => clause.level === level));
  const firstBroken = levels.findIndex(level =>
    clauses.some(clause => clause.level === level && clause.holds === false),
  );
  const reached = firstBroken === -1 ? levels.length : firstBroken;
  return { level: levels[reached - 1] ?? 'none', clauses };
}

const ofSessionLifetime = held(
  {
    id: 'session_lifetime',
    level: 'SL1',
    clause: 'A session lasts no longer than the provider says; nothing but a new sign-in makes it longer',
    who: 'application',
  },
  'The session, its refresh tokens and its access tokens end then, or after twelve hours. What an application keeps ' +
    'besides is its own business: a refresh tells it.',
);

function ofSubject({ identifier }: Connection): Clause {
  const demand = {
    id: 'subject_and_tenant',
    level: 'SL1',
    clause: 'People are known by the subject that the provider names, within their tenant',
    who: 'application',
  } as const;
  return identifier === null
    ? held(demand, 'By tenant, connection and subject; the address is none of it.')
    : broken(
        demand,
        `By ${identifier.type} in place of the subject.`,
        'Take the identifier away, if the provider has subjects that last; people are new to the connection then.',
      );
}

function ofLinking({ domains }: Connection): Clause {
  const demand = {
    id: 'account_linking',
    level: 'SL1',
    clause: 'Linking somebody to an account that is there is off unless it is turned on',
    who: 'application',
  } as const;
  return held(
    demand,
    domains.length === 0
      ? 'It is off: the connection speaks for no domain.'
      : `It is on for verified addresses of ${domains.join(', ')}, which were given to the connection: once ` +
          `for each account.`,
  );
}

const ofBreakGlass = unknown(
  {
    id: 'break_glass',
    level: 'SL1',
    clause:
      'Ways around the provider are off by default, for single people, by several factors, and end with the person',
    who: 'application',
  },
  'They are off, for single addresses, and end with the user; of how many factors the other connection demands, ' +
    'nothing is known here.',
  'Where a domain has breakGlass addresses, demand several factors at the connection that they use.',
);

/** Over all providers: none can tell us but by the browser of the person. */
const ofSignals: Clause[] = [
  broken(
    {
      id: 'session_ended_on_request',
      level: 'SL2',
      clause: 'All sessions and tokens of a person end when the provider asks for it',
      who: 'application',
    },
    'Nothing is received by a back channel (back-channel logout, CAEP session-revoked). Single logout by the ' +
      'browser, and deactivation by the directory, end them.',
    'Connect the directory by SCIM, and have it deactivate people.',
  ),
  broken(
    {
      id: 'session_reestablished_on_request',
      level: 'SL2',
      clause: 'A person has to come from the provider once more, before anything else, when it asks for that',
      who: 'application',
    },
    'There is no such request that would be received.',
    null,
  ),
  broken(
    {
      id: 'changes_sent',
      level: 'SL3',
      clause: 'Changes of sessions, such as of the address that they come from, are told to the provider',
      who: 'application',
    },
    'They are on the log and on topics of the platform, and go to no identity provider.',
    null,
  ),
  broken(
    {
      id: 'changes_received',
      level: 'SL3',
      clause: 'Changes of people, sessions and devices that the provider tells are received',
      who: 'both',
    },
    'Nothing is received by a back channel.',
    null,
  ),
];
