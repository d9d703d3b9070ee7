// The account pages: sessions in a list, each with a button that ends it.
import { type Html, html, type Language, type Page } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import type { ApplicationGrant } from '../application-grants/application-grant.ts';
import { textsIn } from '../page-texts/page-texts.ts';
import { hasSecondFactor } from '../sessions/describe-session.ts';
import type { SessionView } from '../sessions/session-view.ts';
import { pages } from './account-application.ts';

type Texts = ReturnType<typeof textsIn>;
type OfForm = { csrf: string; action: string; value: string; label: string; about?: string };

/** What the button ends is read out with it. */
function button({ csrf, action, value, label, about }: OfForm): Html {
  return html`<form method="post" action="${action}"><input type="hidden" name="csrf" value="${csrf}">
<button name="end" value="${value}"${about === undefined ? null : html` aria-label="${label}: ${about}"`}>${label}</button></form>`;
}

function when(language: Language, at: string): Html {
  const shown = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' });
  return html`<time datetime="${at}">${shown.format(new Date(at))} UTC</time>`;
}

/** What an API caller gets as its description, in the language of the page. */
function describedIn(text: Texts, { delegate, device, place, ip, connectionName, amr, risk }: SessionView): string {
  const by = text('sessionBy', { connection: connectionName ?? text('sessionConnectionGone') });
  if (delegate) return [text('sessionDelegate', { name: delegate.name }), by].join(' · ');
  const browser = device.browser ?? text('sessionUnknownBrowser');
  const at = device.system === null ? browser : text('sessionOn', { browser, system: device.system });
  const factor = hasSecondFactor({ amr }) ? text('sessionFactor') : null;
  const unusual = risk.level === 'low' ? null : text('sessionUnusual');
  return [at, place ?? ip, by, factor, unusual].filter(part => part !== null).join(' · ');
}

type OfItem = { view: SessionView; language: Language; isCurrent: boolean; form: Omit<OfForm, 'value' | 'label'> };

function item({ view, language, isCurrent, form }: OfItem, who: Html | null): Html {
  const text = textsIn(language);
  const about = describedIn(text, view);
  const here = isCurrent ? html` <strong>${text('sessionHere')}</strong>` : null;
  return html`<li>${who}<p>${about}${here}</p>
<p class="muted">${text('sessionSince')} ${when(language, view.createdAt)} · ${text('sessionSeen')} ${when(language, view.lastSeenAt)}</p>
${button({ ...form, value: view.id, label: text('sessionEnd'), about })}</li>`;
}

const nothing = (text: Texts): Html => html`<p>${text('sessionsNone')}</p>`;

type Shown = { sessions: readonly SessionView[]; current: string; csrf: string };

type Allowed = { grant: Entry<ApplicationGrant>; language: Language; form: Omit<OfForm, 'value' | 'label'> };

function allowedItem({ grant: { id, state }, language, form }: Allowed): Html {
  const text = textsIn(language);
  const { host } = new URL(state.clientId);
  const what = [state.resource, state.scopes.join(' ')].filter(Boolean).join(' · ');
  return html`<li><p><strong>${host}</strong></p><p>${what}</p>
<p class="muted">${text('sessionSince')} ${when(language, state.consentedAt)}</p>
${button({ ...form, value: id, label: text('allowedWithdraw'), about: `${host} ${what}` })}</li>`;
}

export function accountPage({
  sessions,
  grants,
  current,
  csrf,
}: Shown & { grants: readonly Entry<ApplicationGrant>[] }): Page {
  const form = { csrf, action: pages.account };
  const words = (language: Language) => {
    const text = textsIn(language);
    const items = sessions.map(view => item({ view, language, isCurrent: view.id === current, form }, null));
    const others = items.length > 1 ? button({ ...form, value: 'others', label: text('sessionsEndOthers') }) : null;
    const allowed = grants.map(grant => allowedItem({ grant, language, form }));
    const ofGrants = html`<h2>${text('allowedTitle')}</h2><p>${text('allowedMeans')}</p><ul>${allowed}</ul>`;
    const content = html`<p>${text('accountMeans')}</p><ul>${items}</ul>${others}
${button({ ...form, value: 'all', label: text('sessionsEndAll') })}${allowed.length === 0 ? null : ofGrants}`;
    return { title: text('accountTitle'), content };
  };
  return { words };
}

export function sessionsPage({
  sessions,
  current,
  csrf,
  userId,
  nextCursor,
}: Shown & { userId: string | null; nextCursor: string | null }): Page {
  const form = { csrf, action: pages.sessions };
  const linkTo = (query: Record<string, string>) => `${pages.sessions}?${new URLSearchParams(query)}`;
  const words = (language: Language) => {
    const text = textsIn(language);
    const who = (view: SessionView) => {
      const name = view.email ?? view.userId;
      return userId === null
        ? html`<p><a href="${linkTo({ user: view.userId })}">${name}</a></p>`
        : html`<p>${name}</p>`;
    };
    const items = sessions.map(view => item({ view, language, isCurrent: view.id === current, form }, who(view)));
    const all = userId === null ? null : button({ ...form, value: userId, label: text('sessionsEndOfPerson') });
    const more = {
      ...(userId === null ? {} : { user: userId }),
      ...(nextCursor === null ? {} : { cursor: nextCursor }),
    };
    const content = html`${items.length === 0 ? nothing(text) : html`<ul>${items}</ul>`}${all}
${nextCursor === null ? null : html`<p><a href="${linkTo(more)}">${text('sessionsMore')}</a></p>`}
${userId === null ? null : html`<p><a href="${pages.sessions}">${text('sessionsOfAll')}</a></p>`}`;
    return { title: text('sessionsTitle'), content };
  };
  return { words };
}
