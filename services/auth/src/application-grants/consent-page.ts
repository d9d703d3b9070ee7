// The page on which a person says whether an application that nobody registered gets what it asks for. What it says of
// itself is a stranger's text, and stands there as such; who it is, and where it sends people, are hosts.
import { type Html, html, type Language, type Page } from '@reeve/service-kit';
import { isLoopback } from '../loopback.ts';
import { textsIn } from '../page-texts/page-texts.ts';

export type ConsentQuestion = {
  /** Whose form it is, and for what. */
  uid: string;
  request: string;
  /** What was asked a moment ago is another thing by now. */
  hasChanged: boolean;
  host: string;
  /** As it calls itself. */
  name: string | null;
  redirectUri: string;
  /** Null where it asks for no API. */
  api: { name: string; scopes: readonly { name: string; description: string }[] } | null;
  /** Of OpenID Connect. */
  personal: readonly string[];
  person: string;
  organization: string;
};

const wordsFor = {
  openid: 'consentOpenid',
  profile: 'consentProfile',
  email: 'consentEmail',
  offline_access: 'consentOffline',
} as const;

const isPersonal = (scope: string): scope is keyof typeof wordsFor => Object.hasOwn(wordsFor, scope);

export function consentPage(question: ConsentQuestion): Page {
  const { uid, request, hasChanged, host, name, redirectUri, api, personal, person, organization } = question;
  const { host: destination, hostname } = new URL(redirectUri);
  const words = (language: Language) => {
    const text = textsIn(language);
    const item = (content: Html | string) => html`<li>${content}</li>`;
    const ofPerson = personal.filter(isPersonal).map(scope => item(text(wordsFor[scope])));
    const ofApi = api?.scopes.map(one =>
      item(one.description === '' ? html`<code>${one.name}</code>` : html`${one.description} <code>${one.name}</code>`),
    );
    const goesTo = isLoopback(hostname)
      ? html`<p class="error"><strong>${text('consentLoopback', { host: destination })}</strong></p>`
      : html`<p>${text('consentGoesTo')} <strong>${destination}</strong></p>`;
    const content = html`${hasChanged ? html`<p class="error" role="alert">${text('consentChanged')}</p>` : null}
<p>${text('consentMeans')}</p><p><strong>${host}</strong></p>
${name === null ? null : html`<p>${text('consentCallsItself')} <q dir="auto">${name}</q></p>`}
<p class="muted">${text('consentUnknown')}</p>
${api === null ? null : html`<p>${text('consentAt', { api: api.name })}</p><ul>${ofApi}</ul>`}
${ofPerson.length === 0 ? null : html`<p>${text('consentOfYou')}</p><ul>${ofPerson}</ul>`}
${goesTo}<p>${text('consentAs', { person, organization })}</p>
<form method="post" action="/interaction/${uid}"><input type="hidden" name="request" value="${request}">
<button name="consent" value="no">${text('consentRefuse')}</button>
<button class="primary" name="consent" value="yes">${text('consentAllow')}</button></form>
<p class="muted">${text('consentUndo')}</p>`;
    return { title: text('consentTitle'), content };
  };
  // The answer leads on to the application.
  return { words, formAction: 'anywhere' };
}
