// Who reads the pages of a sign-in. The tenant's name is shown only where the application has said the tenant: by what
// somebody types, a page would tell who is a tenant here.
import { type Brand, pagesAreFor, type TenantDirectory } from '@reeve/service-kit';
import type { Response } from 'express';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { BrandDirectory } from '../branding/brand-directory.ts';
import type { SignIn } from './sign-in.ts';

export type PageParts = { tenants: TenantDirectory; brands: BrandDirectory; applications: ApplicationDirectory };

/** Of this answer; nothing is looked up unless there is a page. */
export function showPagesOf(
  { tenants, brands, applications }: PageParts,
  response: Response,
  { uid, signIn }: { uid: string; signIn: SignIn },
): void {
  const { boundTo, tenantAsked, clientId, wish } = signIn;

  async function brand(): Promise<Brand | null> {
    const reference: string | null = boundTo ?? tenantAsked;
    const tenant = reference === null ? null : await tenants.findNamed(reference);
    return tenant?.status === 'active' ? brands.of(tenant.id) : null;
  }

  async function back() {
    const client = await applications.find(clientId);
    return client && { href: `/interaction/${uid}/leave`, name: client.name };
  }

  pagesAreFor(response, async () => ({
    uiLocales: wish.uiLocales ?? null,
    brand: await brand(),
    back: await back(),
  }));
}
