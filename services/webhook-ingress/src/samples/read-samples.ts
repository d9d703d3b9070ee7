import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { Endpoints } from '../endpoints/endpoint.ts';
import type { Receivers } from '../endpoints/receivers.ts';
import { exampleOf, recipeOf } from './example.ts';
import { languages, render } from './languages.ts';

type Parts = { endpoints: Endpoints; receivers: Receivers; selfUrl: string };

const example = { id: '{id}', orderingKey: 'example', sequence: 1, type: 'example.created' };

export const readSamples = ({ endpoints, receivers, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/samples',
    summary: 'Programs that send one signed event, to give to the partner; the secret is read from the environment',
    action: 'webhooks:read',
    query: z.strictObject({ language: z.enum(languages).optional() }),
    response: z.object({ items: z.array(z.object({ language: z.enum(languages), source: z.string() })) }),
    async handle({ tenantId, params: { endpointId }, query: { language } }) {
      const { state: endpoint } = await readExisting(endpoints.in(tenantId), endpointId);
      const keys = (await receivers.findAgain(endpointId))?.keys ?? [];
      const sample = {
        recipe: recipeOf(endpoint, keys[0]?.kind ?? 'hmac'),
        example: exampleOf(endpoint, example),
        url: `${selfUrl}/hooks/${endpointId}`,
      };
      const wanted = language === undefined ? languages : [language];
      return { body: { items: wanted.map(one => ({ language: one, source: render(one, sample) })) } };
    },
  });
