import { isDeepStrictEqual } from 'node:util';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type Connection, type Connections, revisionCauses } from './connection.ts';
import { formerRevisions, presentRevision, type Revision, type Revisions } from './connection-revision.ts';
import type { Kinds } from './kinds/registry.ts';

type Parts = { connections: Connections; revisions: Revisions; kinds: Kinds };

const difference = z.object({ field: z.string(), before: z.unknown(), after: z.unknown() });
type Difference = z.infer<typeof difference>;

const revisionView = z.object({
  revision: z.number(),
  isPresent: z.boolean(),
  at: z.string().nullable(),
  by: z.object({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() }).nullable(),
  because: z.enum(revisionCauses).nullable(),
  secretReplaced: z.boolean().nullable().describe('Whether the secret was replaced with it or since the one before'),
  diff: z
    .array(difference)
    .nullable()
    .describe('What became of the one before; null where that is not kept, and for the first'),
});

export const listConnectionRevisions = ({ connections, revisions, kinds }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}/revisions',
    summary: 'List what the settings of an SSO connection are and were: the last twenty changes, newest first',
    action: 'connections:read',
    response: z.object({ items: z.array(revisionView) }),
    async handle({ tenantId, params: { connectionId } }) {
      const { state } = await readExisting(connections.in(tenantId), connectionId);
      const present = presentRevision(connectionId, state);
      const former = await formerRevisions(revisions, { tenantId, connectionId }, present.number);
      const all = [present, ...former];
      const shown = (one: Revision) => shownOf(one, state.kind, kinds);
      const items = all.map((one, at) => {
        const next = all[at + 1];
        const before = next?.number === one.number - 1 ? next : null;
        const { at: madeAt = null, by = null, because = null } = one.making ?? {};
        return {
          revision: one.number,
          isPresent: one === present,
          at: madeAt,
          by,
          because,
          secretReplaced: before && before.secretSetAt !== one.secretSetAt,
          diff: before && differences(before, one, shown),
        };
      });
      return { body: { items } };
    },
  });

/** What a caller sees of settings, and no more: that is what holds no secret. */
function shownOf(revision: Revision, present: Connection['kind'], kinds: Kinds): Map<string, unknown> {
  const { name, domains, trustEmail, jit, attributes, identifier, settings, connectionId, kind = present } = revision;
  const common = { name, domains, trustEmail, jit, attributes, identifier };
  const ofKind = Object.entries(kinds[kind].viewOf(settings, connectionId) as object);
  return new Map([...Object.entries(common), ...ofKind.map(([field, value]) => [`${kind}.${field}`, value] as const)]);
}

function differences(before: Revision, after: Revision, shown: (one: Revision) => Map<string, unknown>): Difference[] {
  const [was, is] = [shown(before), shown(after)];
  const fields = [...new Set([...was.keys(), ...is.keys()])];
  return fields
    .filter(field => !isDeepStrictEqual(was.get(field), is.get(field)))
    .map(field => ({ field, before: was.get(field) ?? null, after: is.get(field) ?? null }));
}
