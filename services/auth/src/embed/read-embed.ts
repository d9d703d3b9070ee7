import { tenantRoute } from '@reeve/service-kit';
import { type Embeds, embedSchema, noEmbed } from './embed.ts';

export const readEmbed = ({ embeds }: { embeds: Embeds }) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/embed',
    summary: 'Read which pages may embed the assistant, and what they get',
    action: 'connections:read',
    response: embedSchema,
    async handle({ tenantId }) {
      const found = await embeds.in(tenantId).get(tenantId);
      return found ? { body: found.state, version: found.version } : { body: noEmbed };
    },
  });
