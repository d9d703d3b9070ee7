// A page inside somebody else's page: one link, which opens the sign-in in a window of its own, and works without
// JavaScript. With it, the page around is told that it is there. Nobody else may frame it.
import { html, type Language, openRoute, type Page } from '@reeve/service-kit';
import { textsIn } from '../page-texts/page-texts.ts';

export const frameScriptPath = '/embed/frame.js';

type Framed = { href: string; origin: string; origins: readonly string[] };

export const framePage = ({ href, origin, origins }: Framed): Page => ({
  frameAncestors: origins,
  words(language: Language) {
    const text = textsIn(language);
    const content = html`<p><a class="button primary" href="${href}" target="_blank" rel="noopener" data-parent="${origin}">${text('signIn')}</a></p>
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
  tell('ready');
}
`;

export const frameScript = () =>
  openRoute({
    method: 'get',
    path: frameScriptPath,
    summary: 'The script of the button inside a page',
    open: 'it is the same for everybody and holds nothing',
    answer: 'bytes',
    produces: ['text/javascript'],
    handle: () =>
      Promise.resolve({
        stream: response =>
          void response.type('text/javascript').set('Cache-Control', 'public, max-age=300').send(script),
      }),
  });
