// A page inside somebody else's page: one link, which opens the sign-in in a window of its own. The page around is told
// that it is there, and the window that it has opened it. Nobody else may frame it.
import { html, type Language, type Page, pageScript } from '@reeve/service-kit';
import { textsIn } from '../page-texts/page-texts.ts';

const frameScriptPath = '/embed/frame.js';

type Framed = { href: string; origin: string; state: string; origins: readonly string[] };

export const framePage = ({ href, origin, state, origins }: Framed): Page => ({
  frameAncestors: origins,
  words(language: Language) {
    const text = textsIn(language);
    const content = html`<p><a class="button primary" href="${href}" target="_blank" rel="opener" data-parent="${origin}" data-state="${state}">${text('signIn')}</a></p>
<script src="${frameScriptPath}"></script>`;
    return { title: text('signIn'), content };
  },
});

/** Tells the page around it, and no other, that it is there. */
const script = `'use strict';
const link = document.querySelector('a[data-parent]');
if (link && window.parent !== window) {
  const tell = type => window.parent.postMessage({ from: 'reeve', type }, link.dataset.parent);
  link.addEventListener('click', () => tell('opened'));
  // The window that it opens asks whether that was so. Pages that are not allowed cannot frame this one.
  window.addEventListener('message', ({ source, origin, data }) => {
    const { state } = link.dataset;
    if (origin !== location.origin || data?.type !== 'opened' || data.state !== state) return;
    source.postMessage({ to: 'reeve', state }, origin);
  });
  tell('ready');
}
`;

export const frameScript = () =>
  pageScript({ path: frameScriptPath, summary: 'The script of the button inside a page', script });
