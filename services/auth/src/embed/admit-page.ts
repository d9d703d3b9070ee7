// Whose pages may read the answers of the token and revocation endpoints, besides those that the application itself
// names: those of the tenant that the page says by `domain`, for the application that this tenant embeds.
import type { TenantDirectory } from '@reeve/service-kit';
import type { Request } from 'express';
import { requestScope } from '../openid-provider/request-scope.ts';
import type { EmbedDirectory } from './embed-directory.ts';

type Parts = { tenants: TenantDirectory; embeds: EmbedDirectory };

export const createAdmitPage =
  ({ tenants, embeds }: Parts) =>
  async (request: Request): Promise<void> => {
    const { domain } = request.query;
    const origin = request.get('Origin');
    if (typeof domain !== 'string' || origin === undefined) return;
    const tenant = await tenants.findNamed(domain);
    if (tenant?.status !== 'active') return;
    const { enabled, origins, applicationId } = await embeds.of(tenant.id);
    if (enabled && applicationId !== null && origins.includes(origin))
      requestScope().admit({ origin, clientId: applicationId });
  };
