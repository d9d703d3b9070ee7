import { invalidField, type TenantId } from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { type Embed, type Embeds, embedSchema, noEmbed, set, unfit } from './embed.ts';
import type { EmbedDirectory } from './embed-directory.ts';

type Parts = { embeds: Embeds; directory: EmbedDirectory; applications: ApplicationDirectory; issuer: string };

export const setEmbed = (parts: Parts) =>
  tenantRoute({
    method: 'put',
    path: '/v1/tenants/{tenantId}/embed',
    summary: 'Say which pages may embed the assistant, and what they get',
    action: 'connections:write',
    versioned: true,
    body: embedSchema,
    response: embedSchema,
    async handle({ tenantId, body, cause, expectedVersion }) {
      await assertApplication(parts, tenantId, body);
      const { embeds, directory } = parts;
      const entry = await embeds.in(tenantId).change(tenantId, before => set(before, body), { cause, expectedVersion });
      directory.forget(tenantId);
      return entry ? { body: entry.state, version: entry.version } : { body: noEmbed };
    },
  });

/** Of one that does not serve this tenant nothing is said. Throws `input_invalid`. */
async function assertApplication(
  { applications, issuer }: Parts,
  tenantId: TenantId,
  { enabled, applicationId: id }: Embed,
): Promise<void> {
  if (id === null) {
    if (enabled) throw invalidField('applicationId', 'is what people are signed in to');
    return;
  }
  const application = await applications.find(id);
  if (!application || application.document || !(await applications.serves(application, tenantId)))
    throw invalidField('applicationId', 'is no application that serves this tenant');
  const why = unfit(application, issuer);
  if (why !== null) throw invalidField('applicationId', why);
}
