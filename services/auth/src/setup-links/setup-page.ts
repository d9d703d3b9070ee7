// The page of a set-up link: one page from the choice of a vendor to the activation, in the order in which it is gone
// through. Pure: what stands on it follows from what is known.
import { signInCauses } from '@reeve/contracts';
import { type Html, html, type Language, type Page } from '@reeve/service-kit';
import type { ConnectionTest } from '../connection-tests/connection-test.ts';
import type { Connection, ConnectionView } from '../connections/connection.ts';
import type { Check } from '../connections/kinds/checks.ts';
import type { KindName } from '../connections/kinds/registry.ts';
import type { Rehearsal } from '../connections/rehearsal.ts';
import { moment } from '../moment.ts';
import type { PageTexts } from '../page-texts/en.ts';
import { textsIn } from '../page-texts/page-texts.ts';
import type { Guide, OurValue } from '../setup/guide.ts';

/** What the holder has sent and stands on the page again: by field what they had filled in, without secrets. */
export type Sent = {
  given: Readonly<Record<string, string>>;
  /** Why it was not taken. */
  complaint: string[] | null;
  /** What it would come to. */
  rehearsal: Rehearsal | null;
};

export type SetupState = {
  path: string;
  expiresAt: string;
  /** Those that may be chosen; of one kind once there is a connection. */
  guides: readonly Guide[];
  guide: Guide | null;
  /** Null before its settings were given. */
  connection: (ConnectionView & Pick<Connection, 'attributes' | 'identifier'>) | null;
  ours: Readonly<Partial<Record<OurValue, string>>>;
  /** What the provider calls itself, where that is known. */
  issuer: string | null;
  /** A test can be begun, and so it can be activated. */
  isComplete: boolean;
  test: ConnectionTest | null;
  /** The test was done with the settings as they are, and has passed. */
  isTestOfNow: boolean;
  isTested: boolean;
  /** Warnings go by mail to the contacts. */
  isMailSent: boolean;
  /** People sign in by it, and what they rest on stays as it is. */
  isKept: boolean;
  former: readonly { number: number; at: string | null }[];
  sent: Sent | null;
};

type Texts = ReturnType<typeof textsIn>;

export const kindOf = ({ protocol }: Guide): KindName => (protocol === 'SAML' ? 'saml' : 'oidc');

export function setupPage(state: SetupState): Page {
  const words = (language: Language) => {
    const text = textsIn(language);
    const { guide } = state;
    const title = guide ? text('setupTitleAt', { vendor: guide.vendor }) : text('setupTitle');
    const isInUse = state.connection?.status === 'active';
    const content = html`<p>${text('setupMeans', { until: moment(state.expiresAt) })}</p>
${isInUse ? null : html`<p>${text('setupNobodyYet')}</p>`}
${complaintOf(state, text)}${guide ? stepsBy(guide, state, text) : choice(state, text)}`;
    return { title, content };
  };
  // Testing leads to the identity provider.
  return { words, formAction: 'anywhere', ...(state.sent?.complaint ? { status: 400 } : {}) };
}

/** What somebody else has said: it neither turns the text around it, nor is anything but text. */
const said = (value: string): Html => html`<bdi>${value.replaceAll(/[\p{Cc}\p{Cf}]/gu, '\uFFFD')}</bdi>`;

const complaintOf = ({ sent }: SetupState, text: Texts): Html | null =>
  sent?.complaint
    ? html`<div class="error" role="alert" id="complaint"><p>${text('setupRefused')}</p>
<ul lang="en">${sent.complaint.map(message => html`<li>${message}</li>`)}</ul></div>`
    : null;

function choice({ path, guides, guide }: SetupState, text: Texts): Html {
  const options = guides.map(
    ({ id, vendor, protocol }) =>
      html`<option value="${id}"${id === guide?.id ? html` selected` : null}>${vendor} (${protocol})</option>`,
  );
  return html`<form method="post" action="${path}/guide"><label for="guide">${text('setupChoose')}</label>
<select id="guide" name="guide">${options}</select><button class="primary">${text('continue')}</button></form>`;
}

function stepsBy(guide: Guide, state: SetupState, text: Texts): Html {
  const { vendor } = guide;
  const unlessKept = (form: Html | null) => (state.isKept ? html`<p class="muted">${text('setupStays')}</p>` : form);
  return html`${details(text('setupOther'), choice(state, text))}
<h2>${text('setupAt', { vendor })}</h2>${atVendor(guide, state, text)}
<h2>${text('setupFrom', { vendor })}</h2>${unlessKept(settingsForm(guide, state, text))}
<h2 id="test">${text('setupTest')}</h2>${testing(guide, state, text)}
<h2>${text('setupMapping')}</h2>${unlessKept(mappingForm(state, text))}
<h2>${text('setupActivate')}</h2>${activation(state, text)}
${warned(state, text)}
${pitfallsOf(guide, text)}${state.isKept ? null : historyOf(state, text)}`;
}

/** The guides are in English, with what is to be typed in backticks. */
const written = (line: string): (string | Html)[] =>
  line.split('`').map((part, at) => (at % 2 === 0 ? part : html`<code>${part}</code>`));

const toCopy = (id: string, value: string): Html =>
  value.includes('\n')
    ? html`<textarea id="${id}" readonly>${value}</textarea>`
    : html`<input id="${id}" type="text" readonly value="${value}">`;

/** Drawn as the vendor's form is: its names of the fields, with what goes there to be copied. */
function atVendor({ steps, fields }: Guide, { ours }: SetupState, text: Texts): Html {
  const known = fields.flatMap(([field, name]) => {
    const value = ours[name];
    return value === undefined ? [] : [{ field, value }];
  });
  return html`<ol lang="en">${steps.map(step => html`<li>${written(step)}</li>`)}</ol>
<figure><figcaption>${text('setupCopy')}</figcaption>${known.map(
    ({ field, value }, at) => html`<label for="ours${at}" lang="en">${field}</label>${toCopy(`ours${at}`, value)}`,
  )}</figure>`;
}

/** Of the fields below, by what the guides call them. */
const labels: Readonly<Record<string, keyof PageTexts>> = {
  'saml.metadataUrl': 'setupMetadataUrl',
  'saml.metadataXml': 'setupMetadataXml',
  'oidc.issuer': 'setupIssuer',
  'oidc.clientId': 'setupClientId',
  'oidc.clientSecret': 'setupClientSecret',
};

function settingsForm(guide: Guide, { path, connection, issuer, sent }: SetupState, text: Texts): Html {
  const given = sent?.given ?? {};
  const copied = guide.copied.map(([theirs, ours]) => {
    const label = labels[ours];
    return html`<li><span lang="en">${theirs}</span>${label && ` → ${text(label)}`}</li>`;
  });
  const shown = (connection?.[kindOf(guide)] ?? {}) as Record<string, unknown>;
  const value = (name: string) => given[name] ?? (typeof shown[name] === 'string' ? shown[name] : '');
  const field = (name: string, label: Html, more: Html) =>
    html`${label}<input id="${name}" name="${name}" value="${value(name)}" autocomplete="off" ${more}>`;
  const label = (name: string, what: keyof PageTexts) => html`<label for="${name}">${text(what)}</label>`;
  const fields =
    kindOf(guide) === 'saml'
      ? html`${field('metadataUrl', label('metadataUrl', 'setupMetadataUrl'), html`type="url" maxlength="1000"`)}
${label('metadataXml', 'setupMetadataXml')}
<textarea id="metadataXml" name="metadataXml" spellcheck="false">${given['metadataXml']}</textarea>`
      : html`${field('issuer', label('issuer', 'setupIssuer'), html`type="url" maxlength="500" required`)}
${field('clientId', label('clientId', 'setupClientId'), html`type="text" maxlength="200" required`)}
${label('clientSecret', 'setupClientSecret')}
<input id="clientSecret" name="clientSecret" type="password" maxlength="500" autocomplete="off"
${connection ? html`aria-describedby="kept"` : html`required`}>
${connection && html`<p class="muted" id="kept">${text('setupSecretKept')}</p>`}`;
  return html`${issuer === null ? null : html`<p>${text('setupSaved', { issuer })}</p>`}<ul>${copied}</ul>
<form method="post" action="${path}/settings">${fields}<button class="primary">${text('setupSave')}</button></form>`;
}

function testing(guide: Guide, { path, isComplete, test, isTestOfNow }: SetupState, text: Texts): Html {
  const begin = isComplete
    ? html`<form method="post" action="${path}/test"><button class="primary">${text('setupTestBegin')}</button></form>`
    : null;
  return html`<p>${text('setupTestMeans')}</p>${test && !isTestOfNow ? html`<p class="error">${text('setupTestOld')}</p>` : null}
${test && foundIn(test, guide, text)}${begin}`;
}

const details = (summary: string, content: Html): Html =>
  html`<details><summary>${summary}</summary>${content}</details>`;

const outcomes = { passed: 'setupPassed', failed: 'setupFailed', not_reached: 'setupNotReached' } as const;

function foundIn({ found }: ConnectionTest, { vendor }: Guide, text: Texts): Html {
  if (!found) return html`<p>${text('setupTestWaits', { vendor })}</p>`;
  const { finishedAt, cause, checks, claims, mapped, seen } = found;
  const at = { at: moment(finishedAt) };
  const check = ({ name, outcome }: Check) =>
    html`<li class="${outcome}">${text(`check_${name}`)}: <strong>${text(outcomes[outcome])}</strong></li>`;
  const [meaning, whatToDo] = cause === null ? [null, null] : signInCauses[cause];
  const compared = Object.entries(seen)
    .filter(([, value]) => value !== null && value !== '')
    .map(([name, value]) => html`<dt>${name}</dt><dd><code>${said(String(value))}</code></dd>`);
  const why =
    cause === null
      ? html`<p role="status">${text('setupTestPassed', at)}</p>`
      : html`<div class="error" role="alert"><p>${text('setupTestFailed', at)} <code>${cause}</code></p>
<p lang="en">${meaning}</p><p>${text('setupNext')}: <span lang="en">${written(whatToDo ?? '')}</span></p>
<dl lang="en">${compared}</dl></div>`;
  const orNothing = (value: string | null) =>
    value === null ? html`<span class="muted">${text('setupNothing')}</span>` : said(value);
  const made =
    mapped &&
    html`<h3>${text('setupMade')}</h3><dl><dt>${text('setupKnownBy')}</dt><dd>${said(mapped.subject)}</dd>
<dt>${text('setupEmail')}</dt><dd>${orNothing(mapped.email)}</dd>
<dt>${text('setupName')}</dt><dd>${orNothing(mapped.displayName)}</dd></dl>`;
  const claimed = Object.entries(claims).map(([name, value]) => {
    const shown = typeof value === 'string' ? value : JSON.stringify(value);
    return html`<dt><code>${said(name)}</code></dt><dd>${said(shown)}</dd>`;
  });
  return html`${why}<ul class="checks">${checks.map(check)}</ul>${made}
${claimed.length > 0 ? details(text('setupSaid', { vendor }), html`<dl>${claimed}</dl>`) : null}`;
}

const identifierTypes = {
  '': 'setupSubject',
  employee_id: 'setupEmployeeId',
  directory_id: 'setupDirectoryId',
  email: 'setupEmailId',
  custom: 'setupCustomId',
} as const;

function mappingForm({ path, connection, sent }: SetupState, text: Texts): Html | null {
  if (!connection) return html`<p class="muted">${text('setupActivateFirst')}</p>`;
  const { attributes, identifier } = connection;
  const given = sent?.given ?? {};
  const field = (name: string, label: string, source: string | object | undefined) =>
    typeof source === 'object'
      ? html`<p>${label}: ${text('setupExpression')}</p>`
      : html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" value="${given[name] ?? source ?? ''}" type="text" maxlength="300" autocomplete="off">`;
  const chosen = given['identifierType'] ?? identifier?.type ?? '';
  const options = Object.entries(identifierTypes).map(
    ([type, name]) => html`<option value="${type}"${type === chosen ? html` selected` : null}>${text(name)}</option>`,
  );
  return html`<p>${text('setupMappingMeans')}</p><form method="post" action="${path}/mapping">
${field('email', text('setupClaimOfEmail'), attributes.email)}
${field('displayName', text('setupClaimOfName'), attributes.displayName)}
<label for="identifierType">${text('setupIdentifier')}</label>
<select id="identifierType" name="identifierType">${options}</select>
${field('identifierAttribute', text('setupClaimOfIdentifier'), identifier?.attribute)}
<button>${text('setupSave')}</button>
<button formaction="${path}/rehearse">${text('setupRehearse')}</button></form>
${sent?.rehearsal && rehearsed(sent.rehearsal, text)}`;
}

function rehearsed({ signIns, failing, renamed, merged }: Rehearsal, text: Texts): Html {
  const count = failing.reduce((sum, one) => sum + one.count, 0);
  const causes = failing.map(
    ({ cause, count: times }) =>
      html`<dt><code>${cause}</code> (${times})</dt><dd>${written(signInCauses[cause].join(' '))}</dd>`,
  );
  const isBad = count > 0 || renamed > 0 || merged > 0;
  const numbers = { signIns, failing: count, renamed, merged };
  return html`<div id="rehearsal" role="status"${isBad ? html` class="error"` : null}>
<p>${text('setupRehearsed', numbers)}</p><dl lang="en">${causes}</dl></div>`;
}

function activation({ path, connection, isTested, isKept }: SetupState, text: Texts): Html {
  if (isKept) return html`<p role="status">${text('setupKept')}</p>`;
  if (connection?.status === 'active') return html`<p role="status">${text('setupActive')}</p>`;
  if (!isTested) return html`<p class="muted">${text('setupActivateFirst')}</p>`;
  return html`<p>${text('setupActivateMeans')}</p>
<form method="post" action="${path}/activate"><button class="primary">${text('setupActivateButton')}</button></form>`;
}

function warned({ path, connection, isMailSent, sent }: SetupState, text: Texts): Html | null {
  if (!connection) return null;
  const { warnings, contacts } = connection;
  const found = html`<div class="error" role="status"><p>${text('setupWarnings')}</p>
<ul lang="en">${warnings.map(({ code, detail }) => html`<li><code>${code}</code> ${detail}</li>`)}</ul></div>`;
  const named = sent?.given['contacts'] ?? contacts.join(', ');
  const form = html`<form method="post" action="${path}/contacts">
<label for="contacts">${text('setupContacts')}</label>
<input id="contacts" name="contacts" value="${named}" type="text" inputmode="email" maxlength="1300" autocomplete="off">
<button>${text('setupSave')}</button></form>`;
  return html`<h2>${text('setupWarned')}</h2>${warnings.length > 0 ? found : html`<p>${text('setupNoWarnings')}</p>`}
${isMailSent ? form : null}`;
}

const pitfallsOf = ({ pitfalls }: Guide, text: Texts): Html =>
  html`<details><summary>${text('setupPitfalls')}</summary><dl lang="en">${pitfalls.map(
    ([cause, why]) => html`<dt><code>${cause}</code></dt><dd>${written(why)} ${written(signInCauses[cause][1])}</dd>`,
  )}</dl></details>`;

function historyOf({ path, former }: SetupState, text: Texts): Html | null {
  if (former.length === 0) return null;
  const revisions = former.map(({ number: of, at }) => {
    const number = String(of);
    return html`<li>${text('setupRevision', { number, at: at === null ? '–' : moment(at) })}
<form method="post" action="${path}/rollback">
<button name="revision" value="${number}">${text('setupBack', { number })}</button></form></li>`;
  });
  return details(text('setupHistory'), html`<ul>${revisions}</ul>`);
}
