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

/** What cannot be found has one text, whatever came of it. */
const notFound = ['NotFoundError', 'ExpiredError', 'AlreadyUsedError', 'NoCodeError'];

export async function deviceCodePage(ctx: KoaContextWithOIDC, _form: string, _out: unknown, error?: unknown) {
  // A request without the cookie that went with it, of which the library would keep a session that it has not.
  const { session } = ctx.oidc;
  if (error !== undefined && session && typeof session.exp !== 'number') {
    Object.assign(session, { touched: false });
    return ctx.redirect('/device');
  }
  const name = error instanceof Error ? error.name : null;
  const complaint = name === null ? null : notFound.includes(name) ? 'deviceUnknown' : 'deviceStopped';
  const words = (language: Language) => {
    const text = textsIn(language);
    const alert = complaint && html`<p class="error" role="alert" id="complaint">${text(complaint)}</p>`;
    const content = html`${alert}<form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrfOf(ctx)}">
<label for="user_code">${text('deviceCode')}</label>
<input id="user_code" name="user_code" type="text" maxlength="20" required autofocus autocomplete="off" autocapitalize="characters" spellcheck="false"${complaint && html` aria-describedby="complaint"`}>
<button class="primary">${text('continue')}</button></form>`;
    return { title: text('deviceTitle'), content };
  };
  await show(ctx, { words, ...(name === null ? {} : { status: 400 }) });
}

/** Whoever sends somebody a code of a device of their own would be signed in as them: so it says what comes of it. */
export async function deviceConfirmPage(
  ctx: KoaContextWithOIDC,
  client: { clientName?: string | undefined; clientId: string },
  userCode: string,
): Promise<void> {
  const words = (language: Language) => {
    const text = textsIn(language);
    const application = client.clientName ?? client.clientId;
    const content = html`<p>${text('deviceConfirmMeans', { application })}</p><p><strong>${userCode}</strong></p>
<p>${text('deviceWarning')}</p><form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrfOf(ctx)}"><input type="hidden" name="user_code" value="${userCode}">
<button class="primary" name="confirm" value="yes">${text('deviceConfirm')}</button>
<button name="abort" value="yes">${text('deviceRefuse')}</button></form>`;
    return { title: text('deviceConfirmTitle'), content };
  };
  await show(ctx, { words });
}

export const deviceDonePage = (ctx: KoaContextWithOIDC): Promise<void> =>
  show(ctx, {
    words(language) {
      const text = textsIn(language);
      return { title: text('deviceDone'), content: html`<p>${text('closeWindow')}</p>` };
    },
  });

function xsrfOf({ oidc }: KoaContextWithOIDC): string {
  const secret = oidc.session?.state?.['secret'];
  return typeof secret === 'string' ? secret : '';
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
  if (page.status !== undefined) ctx.status = page.status;
  ctx.type = 'html';
  ctx.body = await renderPage(response, { ...page, formAction: 'anywhere' });
}
