// Whose people sign in here: the tenant of the application, the one that it asks for, or the one that the person names.
import { html, type Page, type TenantDirectory } from '@reeve/service-kit';
import type { Step } from '../step.ts';

const textOf = (value: unknown): string | null => (typeof value === 'string' && value.trim() !== '' ? value : null);

export const chooseTenant =
  ({ tenants }: { tenants: TenantDirectory }): Step =>
  async ({ uid, signIn, query }) => {
    const { boundTo, tenantAsked } = signIn;
    const reference = tenantAsked ?? boundTo ?? textOf(query['tenant']);
    if (reference === null) return { ask: askForTenant(uid, null) };
    const tenant = await tenants.findNow(reference.trim().toLowerCase());
    // A tenant's application signs in that tenant's people, whatever it asks for.
    const isOpen = tenant?.status === 'active' && (boundTo === null || boundTo === tenant.id);
    if (!isOpen) return { ask: noSuchTenant(uid) };
    return { next: 'choose-connection', learnt: { tenantId: tenant.id } };
  };

/** One answer for a name that nobody has and for a tenant where nobody can sign in. */
export const noSuchTenant = (uid: string): Page =>
  askForTenant(uid, 'There is no sign-in by that name. Check the spelling, or ask your administrator.');

function askForTenant(uid: string, complaint: string | null): Page {
  const alert = complaint === null ? null : html`<p class="error" role="alert">${complaint}</p>`;
  const content = html`${alert}<form method="get" action="/interaction/${uid}">
<label for="tenant">The short name of your organization</label>
<input id="tenant" name="tenant" type="text" required autocomplete="organization" autocapitalize="none" spellcheck="false" autofocus>
<button class="primary">Continue</button></form>`;
  // The answer to this form is a redirect to the identity provider.
  return { title: 'Sign in', content, formAction: 'anywhere' };
}
