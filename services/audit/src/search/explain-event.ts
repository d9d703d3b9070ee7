// "Explain this access": from one record to what permitted it, and from there to the session, the sign-in and the
// roles that it rested on. All of it is in the log; this only follows the ids.
import type { TenantId } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Filters, findRecords } from '../log/find-records.ts';
import { type EventView, eventView, type Readable, viewOfStored } from './event-view.ts';

const explanation = z.object({
  event: eventView,
  summary: z.array(z.string()).describe('The explanation in sentences'),
  decision: z.object({
    outcome: z.string(),
    reason: z.string(),
    rule: z
      .string()
      .nullable()
      .describe('The access rule that decided; null where none was asked or none permitted it'),
    basis: z.string().nullable().describe('What the rule rested on'),
  }),
  session: eventView.nullable().describe('How the session began in which it was done'),
  signIn: eventView.nullable().describe('The sign-in that began the session'),
  memberships: z
    .array(eventView)
    .describe('Roles and memberships that the user had at that time, by the events that gave them'),
  client: eventView.nullable().describe('How the client that acted was registered'),
  causes: z.array(eventView).describe('What it was a reaction to, nearest first'),
});

type Explanation = z.infer<typeof explanation>;

const longestChainOfCauses = 10;
const mostChanges = 100;

const given = { 'role.assigned': 'role.unassigned', 'membership.added': 'membership.removed' } as const;

export const explainEvent = (log: Readable) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/events/{eventId}/explain',
    summary: 'Explain an access: the rule that decided, the session, the sign-in, the roles, and what caused it',
    action: 'audit:read',
    crossOrigin: true,
    response: explanation,
    async handle({ tenantId, params }) {
      const reader = readerOf(log, tenantId);
      const event = viewOfStored(log, await readExisting(log.records.in(tenantId), params.eventId));
      const sessionId = event.context.sessionId ?? (event.target.type === 'session' ? event.target.id : null);
      const userId = event.actor.type === 'user' ? event.actor.id : textOf(event.details['userId']);
      const clientId = event.actor.type === 'client' ? event.actor.id : event.context.clientId;
      const session = sessionId === null ? null : await reader.newest({ about: sessionId, type: 'session.created' });
      const found = {
        event,
        decision: {
          outcome: event.outcome,
          reason: event.reason.code,
          rule: event.reason.rule,
          basis: event.reason.basis,
        },
        session,
        signIn: session && (await reader.newest({ correlation: session.correlationId, type: 'sign_in.succeeded' })),
        memberships: userId === null ? [] : await membershipsAt(reader, userId, event.time),
        client: clientId === null ? null : await reader.newest({ target: clientId, type: 'client.created' }),
        causes: await causesOf(reader, event),
      };
      return { body: { ...found, summary: summarize(found) } };
    },
  });

type Reader = ReturnType<typeof readerOf>;

function readerOf(log: Readable, tenantId: TenantId) {
  const find = async (filters: Filters, limit: number) =>
    (await findRecords(log.records, tenantId, { filters, limit })).items.map(one => viewOfStored(log, one));
  return {
    find,
    newest: async (filters: Filters): Promise<EventView | null> => (await find(filters, 1))[0] ?? null,
    async byId(id: string): Promise<EventView | null> {
      const entry = await log.records.in(tenantId).get(id);
      return entry && viewOfStored(log, entry);
    },
  };
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : null);

/** What was given before that time and not taken back until then. */
async function membershipsAt(reader: Reader, userId: string, time: string): Promise<EventView[]> {
  const standing: EventView[] = [];
  for (const [gained, lost] of Object.entries(given)) {
    const gains = await reader.find({ about: userId, type: gained, to: time }, mostChanges);
    const losses = await reader.find({ about: userId, type: lost, to: time }, mostChanges);
    const same = (one: EventView, other: EventView) =>
      one.target.id === other.target.id && one.details['role'] === other.details['role'];
    standing.push(...gains.filter(gain => !losses.some(loss => same(gain, loss) && loss.time > gain.time)));
  }
  return standing;
}

async function causesOf(reader: Reader, event: EventView): Promise<EventView[]> {
  const causes: EventView[] = [];
  let next = event.causationId;
  while (next !== null && causes.length < longestChainOfCauses && !causes.some(({ eventId }) => eventId === next)) {
    const cause = await reader.byId(next);
    if (!cause) break;
    causes.push(cause);
    next = cause.causationId;
  }
  return causes;
}

function summarize({
  event,
  decision,
  session,
  signIn,
  memberships,
  client,
  causes,
}: Omit<Explanation, 'summary'>): string[] {
  const who = (one: EventView) => `${one.actor.type} ${one.actor.name ?? one.actor.id ?? '(unknown)'}`;
  const what = `${event.target.type} ${event.target.name ?? event.target.id ?? ''}`.trim();
  const from = (one: EventView) => (one.context.ip === null ? '' : ` from ${one.context.ip}`);
  return [
    `On ${event.time}, ${who(event)} caused ${event.type} of ${what}${from(event)}: ${event.outcome}, because ${decision.reason}.`,
    ...(decision.rule === null
      ? []
      : [`The rule ${decision.rule} decided, by ${decision.basis ?? 'nothing further'}.`]),
    ...memberships.map(
      one =>
        `The user had ${textOf(one.details['role']) ?? one.target.name ?? one.target.id} since ${one.time}, given by ${who(one)}.`,
    ),
    ...(session ? [`The session began on ${session.time}${from(session)}.`] : []),
    ...(signIn
      ? [`It began with a sign-in by ${textOf(signIn.details['method']) ?? 'an unknown method'}${from(signIn)}.`]
      : []),
    ...(client ? [`The client was registered on ${client.time} by ${who(client)}.`] : []),
    ...causes.map(one => `It was a reaction to ${one.type} on ${one.time} by ${who(one)}.`),
  ];
}
