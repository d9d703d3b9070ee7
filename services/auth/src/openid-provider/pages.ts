// Pages that belong to the protocol rather than to a sign-in.
import { failure, Html, html, type Language, type Page, pagesAreFor, renderPage } from '@reeve/service-kit';
import type { Response } from 'express';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { textsIn } from '../page-texts/page-texts.ts';
import { requestScope } from './request-scope.ts';

type Refusal = { error: string; error_description?: string | undefined };

export async function errorPage(ctx: KoaContextWithOIDC, { error, error_description }: Refusal): Promise<void> {
  const reference = requestScope().cause.context.requestId;
  const words = (language: Language) => {
    const text = textsIn(language);
    const { title, content } = failure(
      {
        title: text('requestTitle'),
        meaning: text('requestMeans'),
        action: text('requestAction'),
        code: error,
        reference: reference ?? '',
      },
      { language },
    );
    // The protocol's own words, which are in English.
    const technical = error_description
      ? html`<details><summary>${text('technical')}</summary><p lang="en">${error_description}</p></details>`
      : null;
    return { title, content: html`${content}${technical}` };
  };
  await show(ctx, { words });
}

export async function signOutPage(ctx: KoaContextWithOIDC, form: string): Promise<void> {
  const words = (language: Language) => {
    const text = textsIn(language);
    const content = html`<p>${text('signOutMeans')}</p>${new Html(form)}
<button class="primary" form="op.logoutForm" type="submit" name="logout" value="yes" autofocus>${text('signOut')}</button><button form="op.logoutForm" type="submit">${text('staySignedIn')}</button>`;
    return { title: text('signOutTitle'), content };
  };
  await show(ctx, { words });
}

export const signedOutPage: Page = {
  words(language) {
    const text = textsIn(language);
    return { title: text('signedOut'), content: html`<p>${text('closeWindow')}</p>` };
  },
};

export const showSignedOut = (ctx: KoaContextWithOIDC): Promise<void> => show(ctx, signedOutPage);

/** Its forms end at an application. */
async function show(ctx: KoaContextWithOIDC, page: Page): Promise<void> {
  const response = ctx.res as Response;
  const { ui_locales: asked } = ctx.query;
  if (typeof asked === 'string') pagesAreFor(response, async () => ({ uiLocales: asked }));
  ctx.type = 'html';
  ctx.body = await renderPage(response, { ...page, formAction: 'anywhere' });
}
