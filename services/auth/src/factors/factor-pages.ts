// What a person sees of second factors during a sign-in. Every form comes back to the sign-in, with `factor` saying
// which it is; only passkeys need a script.
import { Html, html, type Language, type Page } from '@reeve/service-kit';
import type { PageTexts } from '../page-texts/en.ts';
import { textsIn } from '../page-texts/page-texts.ts';
import type { FactorKind } from './level.ts';
import { passkeyScriptPath } from './passkey-script.ts';
import { pictureOf } from './totp.ts';

type Text = ReturnType<typeof textsIn>;
export type Complaint = Extract<keyof PageTexts, `factor${string}`>;

/** The answer may lead on to the application. */
const page = (words: (text: Text) => { title: string; content: Html }): Page => ({
  words: (language: Language) => words(textsIn(language)),
  formAction: 'anywhere',
});

const alertOf = (text: Text, complaint: Complaint | null) =>
  complaint && html`<p class="error" role="alert" id="complaint">${text(complaint)}</p>`;

const described = (complaint: Complaint | null) => complaint && html` aria-describedby="complaint"`;

const script = html`<script src="${passkeyScriptPath}" defer></script>`;

type PasskeyForm = { uid: string; how: 'create' | 'get'; options: string; content: Html };

const passkeyForm = (text: Text, { uid, how, options, content }: PasskeyForm): Html =>
  html`<form method="post" action="/interaction/${uid}" data-passkey="${how}" data-options="${options}" hidden>
<p class="error" role="alert" hidden>${text('factorPasskeyStopped')}</p>
<input type="hidden" name="factor" value="${how === 'create' ? 'confirm-passkey' : 'passkey'}">
<input type="hidden" name="credential" value="">${content}</form>${script}`;

type Challenge = {
  uid: string;
  person: string;
  kinds: readonly FactorKind[];
  /** For passkeys, as JSON; null where there are none. */
  options: string | null;
  complaint: Complaint | null;
};

export const challengePage = ({ uid, person, kinds, options, complaint }: Challenge): Page =>
  page(text => {
    const passkey =
      options &&
      passkeyForm(text, {
        uid,
        how: 'get',
        options,
        content: html`<button class="primary">${text('factorUsePasskey')}</button>`,
      });
    const totp =
      kinds.includes('totp') &&
      html`<form method="post" action="/interaction/${uid}"><input type="hidden" name="factor" value="totp">
<label for="code">${text('factorCode')}</label>
<input id="code" name="code" type="text" inputmode="numeric" maxlength="12" autocomplete="one-time-code" required autofocus${described(complaint)}>
<button class="primary">${text('continue')}</button></form>`;
    const isOpen = !options && !kinds.includes('totp');
    const recovery =
      kinds.includes('recovery_codes') &&
      html`<details${isOpen ? html` open` : null}><summary>${text('factorUseRecovery')}</summary>
<form method="post" action="/interaction/${uid}"><input type="hidden" name="factor" value="recovery">
<label for="recovery">${text('factorRecoveryCode')}</label>
<input id="recovery" name="code" type="text" maxlength="40" autocomplete="off" autocapitalize="none" spellcheck="false" required>
<button>${text('continue')}</button></form></details>`;
    const content = html`${alertOf(text, complaint)}<p>${text('factorMeans', { person })}</p>
${passkey}${totp || null}${recovery || null}<p class="muted">${text('factorLost')}</p>`;
    return { title: text('factorTitle'), content };
  });

type Choice = { uid: string; kinds: readonly ('passkey' | 'totp')[] };

export const choicePage = ({ uid, kinds }: Choice): Page =>
  page(text => {
    const button = (kind: 'passkey' | 'totp') =>
      html`<form method="post" action="/interaction/${uid}"><input type="hidden" name="factor" value="enrol">
<button class="primary" name="kind" value="${kind}">${text(kind === 'passkey' ? 'factorEnrolPasskey' : 'factorEnrolTotp')}</button></form>`;
    // Where only a passkey would do, and none can be had.
    const choices = kinds.length > 0 ? kinds.map(button) : html`<p class="error">${text('factorNeedsScript')}</p>`;
    return { title: text('factorNeeded'), content: html`<p>${text('factorNeededMeans')}</p>${choices}` };
  });

type NewTotp = { uid: string; secret: string; uri: string; complaint: Complaint | null };

export const newTotpPage = ({ uid, secret, uri, complaint }: NewTotp): Page =>
  page(text => {
    const groups = secret.replaceAll(/(.{4})(?!$)/g, '$1 ');
    const content = html`${alertOf(text, complaint)}<p>${text('factorTotpMeans')}</p>
<figure role="img" aria-label="${text('factorPicture')}">${new Html(pictureOf(uri))}</figure>
<p>${text('factorSecret')} <code>${groups}</code></p>
<form method="post" action="/interaction/${uid}"><input type="hidden" name="factor" value="confirm-totp">
<label for="code">${text('factorCode')}</label>
<input id="code" name="code" type="text" inputmode="numeric" maxlength="12" autocomplete="one-time-code" required autofocus${described(complaint)}>
<button class="primary">${text('continue')}</button></form>`;
    return { title: text('factorEnrolTotp'), content };
  });

type NewPasskey = { uid: string; options: string; complaint: Complaint | null };

export const newPasskeyPage = ({ uid, options, complaint }: NewPasskey): Page =>
  page(text => {
    const form = passkeyForm(text, {
      uid,
      how: 'create',
      options,
      content: html`<label for="name">${text('factorName')}</label>
<input id="name" name="name" type="text" maxlength="60" autocomplete="off">
<button class="primary">${text('factorEnrolPasskey')}</button>`,
    });
    const content = html`${alertOf(text, complaint)}<p>${text('factorPasskeyMeans')}</p>${form}
<p data-without-passkeys>${text('factorNeedsScript')}</p>`;
    return { title: text('factorEnrolPasskey'), content };
  });

/** Shown once. */
export const recoveryPage = ({ uid, codes }: { uid: string; codes: readonly string[] }): Page =>
  page(text => {
    const content = html`<p>${text('factorRecoveryMeans')}</p>
<ul>${codes.map(code => html`<li><code>${code}</code></li>`)}</ul>
<form method="post" action="/interaction/${uid}"><input type="hidden" name="factor" value="done">
<button class="primary">${text('factorRecoveryKept')}</button></form>`;
    return { title: text('factorRecoveryTitle'), content };
  });
