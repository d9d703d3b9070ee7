// The pages between a card in a chat and its chat: what the bot asks for, and what has come of it.
import { html, type Language, type Page } from '@reeve/service-kit';
import { textsIn } from '../page-texts/page-texts.ts';
import { signedInPath } from './sign-in-application.ts';

type Asked = {
  bot: string;
  channel: string;
  person: string;
  api: { name: string; scopes: readonly { name: string; description: string }[] };
  ticket: string;
  /** Whose form it is, and for what. */
  request: string;
};

export function askPage({ bot, channel, person, api, ticket, request }: Asked): Page {
  const words = (language: Language) => {
    const text = textsIn(language);
    const scopes = api.scopes.map(({ name, description }) =>
      description === '' ? html`<li><code>${name}</code></li>` : html`<li>${description} <code>${name}</code></li>`,
    );
    const content = html`<p>${text('botSignInMeans', { bot, channel })}</p>
<p>${text('botSignInAt', { api: api.name })}</p><ul>${scopes}</ul>
<p><strong>${text('botSignInOnly')}</strong></p><p>${text('botSignInAs', { person })}</p>
<form method="post" action="${signedInPath}"><input type="hidden" name="ticket" value="${ticket}">
<input type="hidden" name="request" value="${request}">
<button name="answer" value="no">${text('botSignInRefuse')}</button>
<button class="primary" name="answer" value="yes">${text('botSignInAllow')}</button></form>`;
    return { title: text('botSignInTitle', { bot }), content };
  };
  return { words };
}

export const codePage = (code: string): Page => ({
  words(language) {
    const text = textsIn(language);
    return {
      title: text('botCodeTitle'),
      content: html`<p><output><strong>${code}</strong></output></p><p>${text('botCodeMeans')}</p>
<p><strong>${text('botCodeKeep')}</strong></p>`,
    };
  },
});

const endings = {
  done: ['botDoneTitle', 'botDoneMeans'],
  refused: ['botRefusedTitle', 'botRefusedMeans'],
  other: ['botOtherTitle', 'botOtherMeans'],
} as const;

export const endPage = (how: keyof typeof endings, bot: string): Page => ({
  words(language) {
    const text = textsIn(language);
    const [title, means] = endings[how];
    return { title: text(title, { bot }), content: html`<p>${text(means, { bot })}</p>` };
  },
  status: how === 'other' ? 403 : 200,
});
