import { type PersonIdentifier, personIdentifiers, textSchema } from '@reeve/contracts';
import { paged, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { TenantCollection } from '@reeve/store';
import { z } from 'zod';
import { addressKey, emailSchema, type User, type Users, userView, viewOf } from './user.ts';

/** `employee_id:00123`. */
const identifierQuery = z.string().transform((text, context): [PersonIdentifier, string] => {
  const [type = '', ...rest] = text.split(':');
  const known = z.enum(personIdentifiers).safeParse(type);
  const value = textSchema(400).safeParse(rest.join(':'));
  if (known.success && value.success) return [known.data, value.data];
  context.addIssue(`must be the kind of identifier, a colon, and its value: ${personIdentifiers.join(', ')}`);
  return z.NEVER;
});

type One = { email: string | undefined; identifier: [PersonIdentifier, string] | undefined };

/** Null where nobody is asked for by what is their own; a list of one or none otherwise. */
async function findOne(users: TenantCollection<User>, { email, identifier }: One) {
  if (email === undefined && identifier === undefined) return null;
  const found = await Promise.all([
    ...(email === undefined ? [] : [users.getByUnique('email', addressKey(email))]),
    ...(identifier === undefined ? [] : [users.getByUnique(...identifier)]),
  ]);
  const [first, ...others] = found;
  return first && others.every(other => other?.id === first.id) ? [first] : [];
}

export const listUsers = ({ users }: { users: Users }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/users',
    summary: 'List users in the order of their creation, or the one who has a verified address or an identifier',
    action: 'users:read',
    query: pageQuery.extend({
      status: z.enum(['active', 'deactivated']).optional(),
      email: emailSchema.optional().describe('Of whom it is verified'),
      identifier: identifierQuery.optional().describe('As `employee_id:00123`'),
    }),
    response: pageOf(userView),
    async handle({ tenantId, query: { limit, cursor, status, ...one } }) {
      const collection = users.in(tenantId);
      const found = await findOne(collection, { email: one.email, identifier: one.identifier });
      if (found) {
        const items = found.filter(({ state }) => status === undefined || state.status === status);
        return paged({ items, nextCursor: null }, viewOf);
      }
      const page = await (status
        ? collection.list('byStatus', { status }, { limit, cursor })
        : collection.list('inOrder', {}, { limit, cursor }));
      return paged(page, viewOf);
    },
  });
