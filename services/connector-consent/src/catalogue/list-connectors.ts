import { pageOf, pageQuery, platformRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Catalogue } from './catalogue.ts';

const connectorView = z.object({
  id: z.string(),
  name: z.string(),
  publisher: z.string(),
  scopes: z.array(z.object({ id: z.string(), meaning: z.string() })),
  cannot: z.array(z.string()),
  eventTypes: z.array(z.string()),
  consentDays: z.number(),
});

export const listConnectors = ({ catalogue }: { catalogue: Catalogue }) =>
  platformRoute({
    method: 'get',
    path: '/v1/connectors',
    summary: 'List the connectors that may be installed',
    action: 'connectors:read',
    query: pageQuery,
    response: pageOf(connectorView),
    async handle({ query: { limit, cursor } }) {
      const sorted = catalogue.list().toSorted((one, other) => (one.id < other.id ? -1 : 1));
      const rest = sorted.filter(({ id }) => cursor === undefined || id > cursor);
      const items = rest.slice(0, limit).map(({ id, name, publisher, scopes, cannot, eventTypes, consentDays }) => ({
        id,
        name,
        publisher,
        scopes,
        cannot,
        eventTypes,
        consentDays,
      }));
      return { body: { items, nextCursor: rest.length > limit ? (items.at(-1)?.id ?? null) : null } };
    },
  });
