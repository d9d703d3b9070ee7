import { changeExisting } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { deactivate, reactivate, type Users } from '../users/user.ts';
import { directoryRoute, readPushed, schemas, scimUser, scimUserOf, withSchema } from './scim-user.ts';

// Entra sends "Replace" and the string "False": standards that large providers bend are met as they are sent.
const truth = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(true|false)$/i)
    .transform(text => text.toLowerCase() === 'true'),
]);
const replace = z.string().regex(/^replace$/i);

const activation = z.object({
  schemas: withSchema(schemas.patch),
  Operations: z
    .array(
      z.union([
        z.object({ op: replace, path: z.literal('active'), value: truth }).transform(({ value }) => value),
        z.object({ op: replace, value: z.strictObject({ active: truth }) }).transform(({ value }) => value.active),
      ]),
    )
    .min(1)
    .max(100),
});

export const patchScimUser = ({ users, clock, selfUrl }: { users: Users; clock: Clock; selfUrl: string }) =>
  directoryRoute({
    method: 'patch',
    path: '/scim/v2/{directoryId}/Users/{userId}',
    summary: 'Activate or deactivate a user (RFC 7644 §3.5.2)',
    versioned: true,
    body: activation,
    response: scimUser,
    async handle({ tenantId, principal: directory, params: { userId: id }, body, cause, expectedVersion }) {
      const collection = users.in(tenantId);
      await readPushed(collection, directory, id);
      const whom = { tenantId, id, at: clock.now() };
      const decide = body.Operations.at(-1) ? reactivate : deactivate;
      const entry = await changeExisting(collection, id, user => decide(whom, user, 'pushed_by_directory'), {
        cause,
        expectedVersion,
      });
      return { body: scimUserOf(entry, { selfUrl, directory }), version: entry.version };
    },
  });
