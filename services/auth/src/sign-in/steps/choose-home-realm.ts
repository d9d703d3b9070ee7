// Where somebody signs in: by what the application asks for, or by the address that the person gives.
import type { Id } from '@reeve/contracts';
import { html, type Language, type Page } from '@reeve/service-kit';
import type { ApplicationDirectory } from '../../applications/application-directory.ts';
import { isServed } from '../../applications/known-application.ts';
import type { ConnectionDirectory } from '../../connections/connection-directory.ts';
import { domainOf } from '../../domains/domain-name.ts';
import type { HomeRealm } from '../../home-realm/know-realm.ts';
import { textsIn } from '../../page-texts/page-texts.ts';
import type { Step } from '../step.ts';

type Parts = { homeRealm: HomeRealm; connections: ConnectionDirectory; applications: ApplicationDirectory };

const textOf = (value: string | null): string | null => value?.trim() || null;

export const chooseHomeRealm =
  ({ homeRealm, connections, applications }: Parts): Step =>
  async ({ uid, signIn, answer }) => {
    const { boundTo, tenantAsked, connectionAsked, authKeyAsked, domainAsked, wish } = signIn;
    // What the application asks for comes first: a person may complete it, and not change it.
    const email = textOf(answer.get('email')) ?? wish.loginHint ?? null;
    const domain = domainAsked === null ? domainOf(email) : domainOf(`@${domainAsked}`);
    const given = { email, tenant: textOf(answer.get('tenant')) };
    const about = (['tenant', 'email'] as const).find(field => textOf(answer.get(field)) !== null) ?? null;
    const asking = (text: Complaint['text'] | null) => ({
      ask: askForAddress(uid, text && { text, about }, given),
    });
    const application = await applications.find(signIn.clientId);
    const realm = await homeRealm.find({
      boundTo,
      serves: id => application !== null && isServed(application, id),
      tenant: tenantAsked ?? given.tenant,
      connection: connectionAsked,
      authKey: authKeyAsked,
      domain,
    });
    if ('ask' in realm) return asking(email === null ? null : 'nobodyKnows');
    if ('refused' in realm) return asking('nothingThere');
    const { tenantId, connectionId } = realm.found;
    const connection = await connections.findActive(tenantId, connectionId);
    if (!connection) return asking('nothingThere');
    const learnt = {
      tenantId,
      connectionId: connectionId as Id<'connection'>,
      method: connection.state.kind,
      ...(email === null || domain === null ? {} : { wish: { ...wish, loginHint: email } }),
    };
    return { next: 'go-to-provider', learnt, seen: { rule: realm.rule, domain, connectionId } };
  };

type Field = 'email' | 'tenant';

type Complaint = {
  /** One text for whatever nobody has and for what is closed: a stranger learns nothing of what there is. */
  text: 'nothingThere' | 'nobodyKnows';
  /** What the person has filled in; null where it was the application that asked. */
  about: Field | null;
};

type Given = Record<Field, string | null>;

function askForAddress(uid: string, complaint: Complaint | null, given: Given): Page {
  const words = (language: Language) => {
    const text = textsIn(language);
    const alert = complaint && html`<p class="error" role="alert" id="complaint">${text(complaint.text)}</p>`;
    // Where the cursor is, what is wrong is read out as well.
    const current = complaint?.about ?? 'email';
    const field = (name: Field) => [
      html`id="${name}" name="${name}" value="${given[name]}" required`,
      name === complaint?.about ? html` aria-invalid="true"` : null,
      complaint && name === current ? html` aria-describedby="complaint"` : null,
      name === current ? html` autofocus` : null,
    ];
    const content = html`${alert}<form method="post" action="/interaction/${uid}">
<label for="email">${text('emailAtWork')}</label>
<input ${field('email')} type="email" maxlength="320" autocomplete="username">
<button class="primary">${text('continue')}</button></form>
<details${current === 'tenant' ? html` open` : null}><summary>${text('useShortName')}</summary>
<form method="post" action="/interaction/${uid}"><label for="tenant">${text('shortName')}</label>
<input ${field('tenant')} type="text" maxlength="100" autocomplete="organization" autocapitalize="none" spellcheck="false">
<button>${text('continue')}</button></form></details>`;
    return { title: text('signIn'), content };
  };
  // The answer to these forms is a redirect to the identity provider.
  return { words, formAction: 'anywhere' };
}
