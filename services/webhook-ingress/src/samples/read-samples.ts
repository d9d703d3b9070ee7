import { ProblemError } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { complete, type Endpoints } from '../endpoints/endpoint.ts';
import type { Receivers } from '../endpoints/receivers.ts';
import { exampleOf, recipeOf } from './example.ts';
import { languages, render } from './languages.ts';

type Parts = { endpoints: Endpoints; receivers: Receivers; selfUrl: string };

const example = { id: '{id}', orderingKey: 'example', sequence: 1, type: 'example.created' };

export const readSamples = ({ endpoints, receivers, selfUrl }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/webhook-endpoints/{endpointId}/samples',
    summary:
      'Programs that send this endpoint one signed event, to give to the partner; the secret is read from the environment',
    action: 'webhooks:read',
    query: z.strictObject({ language: z.enum(languages).optional() }),
    response: z.object({ items: z.array(z.object({ language: z.enum(languages), source: z.string() })) }),
    async handle({ tenantId, params, query: { language } }) {
      const id = String(params['endpointId']);
      const entry = await endpoints.in(tenantId).get(id);
      if (!entry) throw new ProblemError('not_found');
      const endpoint = complete(entry.state);
      const keys = (await receivers.find(id))?.keys ?? [];
      const sample = {
        recipe: recipeOf(endpoint, keys[0]?.kind ?? 'hmac'),
        example: exampleOf(endpoint, example),
        url: `${selfUrl}/hooks/${id}`,
      };
      const wanted = language === undefined ? languages : [language];
      return { body: { items: wanted.map(one => ({ language: one, source: render(one, sample) })) } };
    },
  });
