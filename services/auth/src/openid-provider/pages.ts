// Pages that belong to the protocol rather than to a sign-in.
import { Html, html, page } from '@reeve/service-kit';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { requestScope } from './request-scope.ts';

export function errorPage(
  ctx: KoaContextWithOIDC,
  out: { error: string; error_description?: string | undefined },
): void {
  ctx.type = 'html';
  ctx.body = page(
    'This request could not be handled',
    html`<p class="error" role="alert">${out.error_description ?? out.error}</p>
<p>If it happens again, give your administrator this reference:</p><p><code>${requestScope().cause.context.requestId}</code></p>
<p class="muted">${out.error}</p>`,
  );
}

export function signOutPage(ctx: KoaContextWithOIDC, form: string) {
  ctx.type = 'html';
  ctx.body = page(
    'Sign out?',
    html`<p>This ends your session here and in the applications that use it.</p>${new Html(form)}
<button class="primary" form="op.logoutForm" type="submit" name="logout" value="yes" autofocus>Sign out</button><button form="op.logoutForm" type="submit">Stay signed in</button>`,
  );
}

export function signedOutPage(ctx: KoaContextWithOIDC) {
  ctx.type = 'html';
  ctx.body = page('You are signed out', html`<p>You can close this window.</p>`);
}
