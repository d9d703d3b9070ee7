// The browser's way through a consent: the page, the answer, the third party, and back. Works without JavaScript. Every redirect that goes out is
// bound to the browser it goes out from, and is used once.
import { type Cause, isId, newId, ProblemError, type TenantId } from '@reeve/contracts';
import {
  causeOf,
  contentSecurityPolicy,
  type Html,
  html,
  type Logger,
  page,
  type TenantDirectory,
  toProblem,
} from '@reeve/service-kit';
import type { Clock, PlatformRecords, Store, TenantEntry } from '@reeve/store';
import express, { type Request, type Response, Router } from 'express';
import { type BrowserSession, type BrowserSessions, equal } from '../browser-sessions/browser-sessions.ts';
import type { OwnIssuer } from '../browser-sessions/own-issuer.ts';
import type { Catalogue, Connector } from '../catalogue/catalogue.ts';
import type { DelegatedTokens } from '../delegated-tokens/delegated-tokens.ts';
import type { ThirdParty } from '../delegated-tokens/third-party.ts';
import { type Installation, type Installations, install } from '../installations/installation.ts';
import { type Consents, consentText, deny, grant } from './consent.ts';

type SignInTransaction = { requestId: string; nonce: string; codeVerifier: string };
type ConnectTransaction = {
  browserSessionId: string;
  tenantId: TenantId;
  installationId: string;
  consentId: string;
  /** The answer that this goes back to: another one since then makes it void. */
  consentVersion: number;
  codeVerifier: string;
};

export type PageParts = {
  installations: Installations;
  consents: Consents;
  delegatedTokens: DelegatedTokens;
  thirdParty: ThirdParty;
  catalogue: Catalogue;
  browserSessions: BrowserSessions;
  signIns: PlatformRecords<SignInTransaction>;
  connects: PlatformRecords<ConnectTransaction>;
  ownIssuer: OwnIssuer;
  tenants: TenantDirectory;
  clock: Clock;
  log: Logger;
};

const transactionMs = 600_000;

export function defineTransactions(store: Store) {
  return {
    signIns: store.platformRecords<SignInTransaction>({
      name: 'sign_in_transactions',
      reason: 'our issuer returns nothing but `state`',
    }),
    connects: store.platformRecords<ConnectTransaction>({
      name: 'connect_transactions',
      reason: 'a third party returns nothing but `state`',
    }),
  };
}

export function consentPages(parts: PageParts): Router {
  const router = Router();
  const form = express.urlencoded({ extended: false, limit: '16kb' });
  router.get('/consent/:requestId', handled(parts, showConsent));
  router.post('/consent/:requestId', form, handled(parts, answerConsent));
  router.get('/sign-in/callback', handled(parts, completeSignIn));
  router.get('/connect/callback', handled(parts, completeConnect));
  return router;
}

type Step = (parts: PageParts, request: Request, response: Response) => Promise<void>;
type Asked = { installation: TenantEntry<Installation>; connector: Connector; tenantName: string };

function handled(parts: PageParts, step: Step) {
  return async (request: Request, response: Response) => {
    try {
      await step(parts, request, response);
    } catch (error) {
      showFailure(parts, response, error);
    }
  };
}

async function showConsent(parts: PageParts, request: Request, response: Response): Promise<void> {
  const asked = await findAsked(parts, request);
  const person = await parts.browserSessions.find(request);
  if (person?.tenantId !== asked.installation.tenantId) return beginSignIn(parts, asked, request, response);
  const { connector, tenantName, installation } = asked;
  const { scopes } = installation.state;
  const [first, ...rest] = consentText({
    connector,
    tenant: tenantName,
    person: person.name,
    scopes,
    until: untilOf(parts, connector),
  });
  const choices = connector.scopes.filter(({ id }) => scopes.includes(id));
  response.setHeader('Content-Security-Policy', contentSecurityPolicy([new URL(connector.oauth.issuer).origin]));
  send(
    response,
    `Connect ${connector.name}?`,
    html`<p>${first}</p><form method="post"><input type="hidden" name="csrf" value="${person.csrf}">
<fieldset><legend>It will be able to</legend>${choices.map(({ id, meaning }) => html`<label><input type="checkbox" name="scope" value="${id}" checked> ${meaning}</label>`)}</fieldset>
<ul>${rest.filter(line => !line.startsWith('It will be able to')).map(line => html`<li>${line}</li>`)}</ul>
<button class="primary" name="answer" value="allow">Allow</button><button name="answer" value="deny">Do not allow</button></form>
<p class="muted">Signed in as ${person.name}.</p>`,
  );
}

async function answerConsent(parts: PageParts, request: Request, response: Response): Promise<void> {
  const asked = await findAsked(parts, request);
  const person = await parts.browserSessions.find(request);
  const form = (request.body ?? {}) as Record<string, unknown>;
  if (person?.tenantId !== asked.installation.tenantId || !equal(single(form['csrf']), person.csrf))
    throw new ProblemError('csrf_mismatch');
  const { installation, connector, tenantName } = asked;
  const chosen = [form['scope'] ?? []].flat().map(String);
  const scopes = installation.state.scopes.filter(scope => chosen.includes(scope));
  const allowed = form['answer'] === 'allow' && scopes.length > 0;
  const until = untilOf(parts, connector);
  const text = consentText({ connector, tenant: tenantName, person: person.name, scopes, until }).join('\n');
  const answer = {
    installationId: installation.id,
    userId: person.userId,
    connectorName: connector.name,
    scopes,
    text,
    answeredAt: parts.clock.now().toISOString(),
    until: until.toISOString(),
  };
  const consents = parts.consents.in(installation.tenantId);
  // One consent per person and installation: whoever answers again replaces the answer.
  const id = (await consents.getByUnique('person', `${installation.id}|${person.userId}`))?.id ?? newId('consent');
  const answered = await consents.change(id, () => (allowed ? grant(id, answer) : deny(id, answer)), {
    cause: personCause(request, person),
  });
  if (!allowed) {
    send(
      response,
      'Nothing was connected',
      html`<p>You did not allow ${connector.name} to act for you. You can close this window.</p>`,
    );
    return;
  }
  const { url, state, codeVerifier } = await parts.thirdParty.begin(connector, scopes);
  const transaction = {
    browserSessionId: person.id,
    tenantId: installation.tenantId,
    installationId: installation.id,
    consentId: id,
    consentVersion: answered?.version ?? 0,
    codeVerifier,
  };
  await parts.connects.put(state, transaction, soon(parts));
  response.redirect(303, url);
}

async function completeConnect(parts: PageParts, request: Request, response: Response): Promise<void> {
  const state = single(request.query['state']);
  const pending = await parts.connects.get(state);
  const person = await parts.browserSessions.find(request);
  // Looked at before it is used up: another browser that comes with the same address takes nothing from its owner.
  if (!pending || person?.id !== pending.row.browserSessionId) throw new ProblemError('consent_expired');
  const transaction = await parts.connects.take(state);
  if (!transaction) throw new ProblemError('consent_expired');
  const { tenantId, installationId, consentId, consentVersion, codeVerifier } = transaction;
  const consents = parts.consents.in(tenantId);
  const consent = await consents.get(consentId);
  const installation = await parts.installations.in(tenantId).get(installationId);
  if (consent?.state.status !== 'granted' || consent.version !== consentVersion || !installation)
    throw new ProblemError('consent_expired');
  const connector = parts.catalogue.get(installation.state.connectorId);
  const cause = personCause(request, person);
  const { scopes } = consent.state;
  const query = new URL(request.originalUrl, 'http://localhost').search;
  const obtained = await parts.thirdParty.complete(connector, { query, state, codeVerifier, scopes });
  if (obtained === 'refused') {
    await consents.change(consentId, found => found && deny(consentId, found), { cause });
    send(
      response,
      'Nothing was connected',
      html`<p>${connector.name} was not allowed access. You can close this window.</p>`,
    );
    return;
  }
  const { set, grantedScopes, expiresInSeconds } = obtained;
  if (grantedScopes.some(scope => !scopes.includes(scope)))
    throw new ProblemError('sign_in_failed', `${connector.name} gave more than was consented to`);
  const now = parts.clock.now();
  const accessTokenExpiresAt =
    expiresInSeconds === undefined ? null : new Date(now.getTime() + expiresInSeconds * 1000).toISOString();
  const token = {
    installationId,
    userId: person.userId,
    connectorId: connector.id,
    requestedScopes: scopes,
    grantedScopes,
    accessTokenExpiresAt,
    storedAt: now.toISOString(),
  };
  await parts.delegatedTokens.store(tenantId, consentId, { token, set }, cause);
  // Revoked meanwhile (a deactivation, an administrator): whoever comes second sees what the first has done.
  if ((await consents.get(consentId))?.state.status !== 'granted') {
    await parts.delegatedTokens.revoke(tenantId, consentId, 'consent_ended', cause);
    throw new ProblemError('consent_expired');
  }
  await parts.installations
    .in(tenantId)
    .change(installationId, found => found && install(installationId, found), { cause });
  send(
    response,
    `${connector.name} is connected`,
    html`<p>You can close this window. An administrator sees this consent, and can end it, under the installation.</p>`,
  );
}

async function beginSignIn(
  parts: PageParts,
  { installation }: Asked,
  request: Request,
  response: Response,
): Promise<void> {
  const { url, state, nonce, codeVerifier } = await parts.ownIssuer.begin(installation.tenantId);
  await parts.signIns.put(state, { requestId: String(request.params['requestId']), nonce, codeVerifier }, soon(parts));
  parts.browserSessions.bind(response, 'sign_in', state);
  response.redirect(303, url);
}

async function completeSignIn(parts: PageParts, request: Request, response: Response): Promise<void> {
  const state = single(request.query['state']);
  if (!parts.browserSessions.isBound(request, 'sign_in', state)) throw new ProblemError('sign_in_expired');
  const transaction = await parts.signIns.take(state);
  if (!transaction) throw new ProblemError('sign_in_expired');
  const query = new URL(request.originalUrl, 'http://localhost').search;
  const claims = await parts.ownIssuer
    .complete({ query, state, nonce: transaction.nonce, codeVerifier: transaction.codeVerifier })
    .catch((cause: unknown) => {
      throw cause instanceof ProblemError ? cause : new ProblemError('sign_in_failed', undefined, { cause });
    });
  const { sub, tid, sid, name, email } = claims;
  const tenantId = await parts.browserSessions.begin(response, { sub, tid, sid, name, email });
  const installation = await findByRequest(parts, transaction.requestId);
  // Not a redirect loop but an end: the issuer signed this person in to another tenant.
  if (tenantId === null || installation?.tenantId !== tenantId)
    throw new ProblemError('sign_in_failed', 'you are signed in to another organization');
  response.redirect(303, `/consent/${transaction.requestId}`);
}

async function findByRequest(
  { installations }: PageParts,
  requestId: string,
): Promise<TenantEntry<Installation> | null> {
  if (!isId('request', requestId)) return null;
  return installations
    .acrossTenants('a consent page is opened by its request id, before anybody is signed in')
    .getByUnique('consentRequest', requestId);
}

/** Throws `consent_expired` for a request that is unknown, answered or too old: a stranger learns no more. */
async function findAsked(parts: PageParts, request: Request): Promise<Asked> {
  const installation = await findByRequest(parts, String(request.params['requestId']));
  const open =
    installation?.state.status === 'approved' &&
    (installation.state.consentUntil ?? '') > parts.clock.now().toISOString();
  if (!installation || !open) throw new ProblemError('consent_expired');
  const tenant = await parts.tenants.find(installation.tenantId);
  return {
    installation,
    connector: parts.catalogue.get(installation.state.connectorId),
    tenantName: tenant?.slug ?? installation.tenantId,
  };
}

const untilOf = ({ clock }: PageParts, { consentDays }: Connector) =>
  new Date(clock.now().getTime() + consentDays * 86_400_000);
const soon = ({ clock }: PageParts) => new Date(clock.now().getTime() + transactionMs);

function personCause(request: Request, { userId, name, sid }: BrowserSession): Cause {
  const cause = causeOf(request, null);
  return {
    ...cause,
    actor: { type: 'user', id: userId, name, via: 'session' },
    context: { ...cause.context, sessionId: sid },
  };
}

function showFailure({ log }: PageParts, response: Response, error: unknown): void {
  const problem = toProblem(error);
  log[problem.status >= 500 ? 'error' : 'info']({ error, code: problem.code }, 'a consent page failed');
  const reference = String(response.getHeader('Reeve-Request-Id'));
  send(
    response.status(problem.status),
    'This did not work',
    html`<p class="error">${problem.message}.</p><p>Reference for your administrator: <code>${reference}</code></p><p class="muted">${problem.code}</p>`,
  );
}

function send(response: Response, title: string, content: Html): void {
  response.type('html').send(page(title, content));
}

/** A field that came twice or not at all is as good as empty. */
function single(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
