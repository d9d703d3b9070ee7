// The window of a sign-in that a page has begun: before it goes on, it asks the page that has opened it whether that was
// so. Whoever leads somebody else here by a link, or from a page of their own, would else have that person sign in for
// them: what came of it goes to whoever knows the secret (hand-off.ts).
import { html, type Language, type Page, pageScript } from '@reeve/service-kit';
import { textsIn } from '../page-texts/page-texts.ts';

const openerScriptPath = '/embed/opener.js';

type Begun = { origin: string; state: string; fields: Readonly<Record<string, string | undefined>> };

export const openerPage = ({ origin, state, fields }: Begun): Page => ({
  // On to an identity provider, which nobody knows yet.
  formAction: 'anywhere',
  words(language: Language) {
    const text = textsIn(language);
    const hidden = Object.entries({ origin, state, ...fields }).map(
      ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
    );
    const content = html`<p>${text('embedBeginThere')}</p>
<form method="post" action="/embed/authorize" data-origin="${origin}" data-state="${state}">${hidden}</form>
<script src="${openerScriptPath}"></script>`;
    return { title: text('signIn'), content };
  },
});

/** Whoever answers is the page itself, or our button inside it, which nobody else may frame. */
const script = `'use strict';
const form = document.querySelector('form[data-origin]');
const { opener } = window;
if (form && opener) {
  const { origin, state } = form.dataset;
  const origins = [origin, location.origin];
  let isGone = false;
  window.addEventListener('message', ({ source, origin: from, data }) => {
    const isOurs = source === opener && origins.includes(from);
    if (!isOurs || isGone || data?.to !== 'reeve' || data.state !== state) return;
    isGone = true;
    form.submit();
  });
  for (const to of origins) opener.postMessage({ from: 'reeve', type: 'opened', state }, to);
}
`;

export const openerScript = () =>
  pageScript({ path: openerScriptPath, summary: 'The script of the window that a page has opened', script });
