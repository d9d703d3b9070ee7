import { invalidField, signInCauses } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Connections, commonSettings } from './connection.ts';
import type { ConnectionChange } from './connection-administration.ts';
import type { Kinds } from './kinds/registry.ts';
import type { RehearseChange } from './rehearse-change.ts';

type Parts = { connections: Connections; kinds: Kinds; rehearseChange: RehearseChange };

const rehearsalView = z.object({
  signIns: z.number().describe('Gone through: those of the last week that succeeded, a thousand at most'),
  failing: z.array(
    z.object({
      cause: z.string(),
      meaning: z.string(),
      whatToDo: z.string(),
      count: z.number(),
      attempts: z.array(z.string()).describe('The first five'),
    }),
  ),
  renamed: z.number().describe('By another name than now: strangers to the connection until they are linked'),
  merged: z.number().describe('Of several people who are told apart now, and would be one'),
});

export const rehearseConnection = ({ connections, kinds, rehearseChange }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:rehearse',
    summary: 'What would have become of the sign-ins of the last week with this change; nothing is changed',
    atMost: 'one of a tenant at a time',
    action: 'connections:write',
    body: rehearsalBody(kinds),
    response: rehearsalView,
    async handle({ tenantId, params: { connectionId }, body }) {
      const entry = await readExisting(connections.in(tenantId), connectionId);
      const foreign = Object.keys(body).find(name => name in kinds && name !== entry.state.kind);
      if (foreign !== undefined)
        throw invalidField(foreign, `is not a setting of a connection of kind ${entry.state.kind}`);
      const { failing, ...rest } = await rehearseChange(tenantId, entry, body);
      const told = failing.map(({ cause, ...one }) => {
        const [meaning, whatToDo] = signInCauses[cause];
        return { cause, meaning, whatToDo, ...one };
      });
      return { body: { ...rest, failing: told } };
    },
  });

/** Of a change, what can be rehearsed. */
const rehearsalBody = (kinds: Kinds): z.ZodType<ConnectionChange> =>
  commonSettings
    .pick({ attributes: true, identifier: true, jit: true })
    .partial()
    .extend(Object.fromEntries(Object.entries(kinds).map(([name, { change }]) => [name, change.optional()])));
