import type { SignedIn } from '@reeve/browser-session';
import { browserRouteFor, html } from '@reeve/service-kit';
import { originsOf } from '../catalogue/catalogue.ts';
import type { ReadAskedConsent } from './asked-consent.ts';

export const showConsent = ({ readAskedConsent }: { readAskedConsent: ReadAskedConsent }) =>
  browserRouteFor<SignedIn>()({
    method: 'get',
    path: '/consent/{consentRequestId}',
    summary: 'The page that asks a person whether a connector may act for them',
    action: 'consents:read',
    async handle({ params: { consentRequestId }, principal }) {
      const { connector, installation, textFor } = await readAskedConsent(consentRequestId, principal);
      const { who, able, unable, until } = textFor(installation.scopes);
      const choice = ({ scope, meaning }: { scope: string; meaning: string }) =>
        html`<label><input type="checkbox" name="scope" value="${scope}" checked> ${meaning}</label>`;
      const content = html`<p>${who}</p>
<form method="post">${principal.csrfField}
<fieldset><legend>It will be able to</legend>${able.map(choice)}</fieldset>
<ul>${[...unable, until].map(line => html`<li>${line}</li>`)}</ul>
<button class="primary" name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Do not allow</button></form>
<p class="muted">Signed in as ${principal.name}.</p>`;
      return { page: { title: `Connect ${connector.name}?`, content, formAction: originsOf(connector) } };
    },
  });
