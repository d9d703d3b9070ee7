// The browser's way through a sign-in: /interaction/:uid sends it to the identity provider, /oidc/:connectionId/callback brings it back, and
// /interaction/:uid/complete finishes. The callback only redirects: the cookie that binds the sign-in to this browser has the
// interaction's path, so the code is exchanged where that cookie is checked. Otherwise whoever starts a sign-in could have somebody
// else complete it (login CSRF).
import {
  because,
  type Cause,
  type EventDraft,
  isId,
  newId,
  ProblemError,
  platformTenantId,
  type TenantId,
} from '@reeve/contracts';
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
import type { Clock, Entry } from '@reeve/store';
import { type Request, type Response, Router } from 'express';
import { errors, type default as Provider } from 'oidc-provider';
import type { Connection, Connections } from '../connections/connection.ts';
import type { OwnMetadata } from '../openid-provider/client-metadata.ts';
import type { SignIn } from '../sessions/signed-in-sessions.ts';
import type { ResolveIdentity } from './identity-resolver.ts';
import { type RelyingParty, SignInStepError } from './relying-party.ts';
import { type Transactions, transactionLifetimeMs } from './transaction.ts';

type Parts = {
  provider: Provider;
  connections: Connections;
  transactions: Transactions;
  relyingParty: RelyingParty;
  resolveIdentity: ResolveIdentity;
  tenants: TenantDirectory;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
  clock: Clock;
  log: Logger;
};

export function signInPages(parts: Parts): Router {
  const router = Router();
  router.get('/interaction/:uid', handled(parts, begin));
  router.get('/oidc/:connectionId/callback', handled(parts, comeBack));
  router.get('/interaction/:uid/complete', handled(parts, complete));
  return router;
}

type Step = (parts: Parts, request: Request, response: Response) => Promise<void>;

function handled(parts: Parts, step: Step) {
  return async (request: Request, response: Response) => {
    try {
      await step(parts, request, response);
    } catch (error) {
      showFailure(parts, response, error);
    }
  };
}

async function begin(parts: Parts, request: Request, response: Response): Promise<void> {
  const { provider, relyingParty, transactions, clock } = parts;
  const { uid, params, prompt } = await provider.interactionDetails(request, response);
  const bound = await tenantOfClient(provider, params['client_id']);
  const reference = text(params['tenant']) ?? bound ?? text(request.query['tenant']);
  if (reference === undefined) return ask(response, uid, null);
  const tenant = await parts.tenants.find(reference.trim().toLowerCase());
  // A tenant's application signs in that tenant's people, whatever it asks for.
  const foreign = bound !== null && tenant?.id !== bound;
  const connection =
    tenant?.status === 'active' && !foreign
      ? await chooseConnection(parts, tenant.id, text(params['connection']))
      : null;
  // One answer for a name that nobody has and for a tenant where nobody can sign in.
  if (!tenant || !connection)
    return ask(response, uid, 'There is no sign-in by that name. Check the spelling, or ask your administrator.');
  const cause = signInCause(request, uid, connection.id);
  const again = prompt.reasons.includes('login_prompt') || prompt.reasons.includes('session_not_live');
  const upstream = await relyingParty.begin(tenant.id, connection, {
    cause,
    loginHint: text(params['login_hint']),
    prompt: again ? 'login' : undefined,
  });
  await transactions.put(
    upstream.state,
    {
      interactionUid: uid,
      tenantId: tenant.id,
      connectionId: connection.id,
      nonce: upstream.nonce,
      codeVerifier: upstream.codeVerifier,
    },
    new Date(clock.now().getTime() + transactionLifetimeMs),
  );
  response.redirect(303, upstream.url);
}

async function comeBack({ transactions }: Parts, request: Request, response: Response): Promise<void> {
  const state = text(request.query['state']);
  const transaction = state === undefined ? null : await transactions.get(state);
  if (!transaction || transaction.row.connectionId !== request.params['connectionId'])
    throw new ProblemError('sign_in_expired');
  const query = new URL(request.originalUrl, 'http://localhost').search;
  response.redirect(303, `/interaction/${transaction.row.interactionUid}/complete${query}`);
}

async function complete(parts: Parts, request: Request, response: Response): Promise<void> {
  const { provider, transactions, connections, relyingParty, resolveIdentity, clock } = parts;
  const { uid, params } = await provider.interactionDetails(request, response);
  const state = text(request.query['state']);
  const transaction = state === undefined ? null : await transactions.take(state);
  if (!transaction || transaction.interactionUid !== uid || state === undefined)
    throw new ProblemError('sign_in_expired');
  const { tenantId, connectionId, nonce, codeVerifier } = transaction;
  const bound = await tenantOfClient(provider, params['client_id']);
  if (bound !== null && bound !== tenantId) throw new ProblemError('sign_in_expired');
  const cause = signInCause(request, uid, connectionId);
  let identityId: string | null = null;
  try {
    const connection = await connections.in(tenantId).get(connectionId);
    if (connection?.state.status !== 'active') throw new ProblemError('connection_not_active');
    const query = new URL(request.originalUrl, 'http://localhost').search;
    const identity = await relyingParty.complete(tenantId, connection, { query, state, nonce, codeVerifier, cause });
    const { subject, email, emailVerified, displayName } = identity;
    // A subject has 255 characters at most (OpenID Connect Core §2).
    identityId = `${connectionId}/${subject.slice(0, 255)}`;
    const { ip, userAgent } = cause.context;
    const user = await resolveIdentity({
      tenantId,
      connectionId: connectionId as `con_${string}`,
      issuer: connection.state.issuer,
      subject,
      email,
      emailVerified,
      displayName,
      jit: connection.state.jit,
      origin: {
        correlationId: cause.correlationId,
        ip,
        userAgent,
      },
    });
    const login: SignIn = {
      accountId: user.userId,
      tenantId,
      sessionId: newId('session'),
      connectionId,
      email: user.email,
      displayName: user.displayName,
      roles: user.roles,
      surface: text(params['client_id']) ?? 'unknown',
      amr: ['fed', ...identity.amr],
      acr: identity.acr,
      ts: Math.floor(clock.now().getTime() / 1000),
      origin: { context: cause.context, correlationId: cause.correlationId },
    };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  } catch (error) {
    await recordFailure(parts, tenantId, error, { cause, identityId });
    throw error;
  }
}

/** The tenant that an application belongs to; null for the platform's own. */
async function tenantOfClient(provider: Provider, clientId: unknown): Promise<TenantId | null> {
  const client = typeof clientId === 'string' ? await provider.Client.find(clientId) : undefined;
  return (client?.metadata() as OwnMetadata | undefined)?.tenant_id ?? null;
}

/** An id names one connection of this tenant; without one the first active connection is meant. */
async function chooseConnection(
  { connections }: Parts,
  tenantId: TenantId,
  asked: string | undefined,
): Promise<Entry<Connection> | null> {
  if (asked !== undefined) {
    const connection = isId('connection', asked) ? await connections.in(tenantId).get(asked) : null;
    return connection?.state.status === 'active' ? connection : null;
  }
  const { items } = await connections.in(tenantId).list('byStatus', { status: 'active' }, { limit: 1 });
  return items[0] ?? null;
}

function signInCause(request: Request, interactionUid: string, connectionId: string): Cause {
  const stranger = causeOf(request, null);
  return { ...stranger, context: { ...stranger.context, connectionId }, correlationId: interactionUid };
}

async function recordFailure(
  { recordFact }: Parts,
  tenantId: TenantId,
  error: unknown,
  { cause, identityId = null }: { cause: Cause; identityId?: string | null },
): Promise<void> {
  const step = error instanceof SignInStepError ? error.step : toProblem(error).code;
  const target = { type: 'connection', id: cause.context.connectionId, name: null };
  const failed = {
    type: 'sign_in.failed',
    target,
    outcome: 'failure',
    reason: because(step),
    details: { method: 'oidc', step, identityId },
  } as const;
  await recordFact(tenantId ?? platformTenantId, failed, cause);
}

function showFailure({ log }: Parts, response: Response, error: unknown): void {
  const reference = String(response.getHeader('Reeve-Request-Id'));
  const lost = error instanceof errors.SessionNotFound;
  const problem = lost
    ? new ProblemError('sign_in_expired', undefined, { cause: error })
    : error instanceof SignInStepError
      ? new ProblemError('sign_in_failed', undefined, { cause: error })
      : toProblem(error);
  log[problem.status >= 500 ? 'error' : 'info']({ error, code: problem.code }, 'a sign-in did not complete');
  const content = html`<p class="error">${problem.message}.</p><p>Go back to the application and start again. If it happens again, give your administrator this reference:</p><p><code>${reference}</code></p><p class="muted">${problem.code}</p>`;
  send(response.status(problem.status), 'You are not signed in', content);
}

function ask(response: Response, uid: string, complaint: string | null): void {
  // The answer to this form is a redirect to the identity provider.
  response.setHeader('Content-Security-Policy', contentSecurityPolicy('anywhere'));
  send(
    response,
    'Sign in',
    html`${complaint === null ? null : html`<p class="error" role="alert">${complaint}</p>`}<form method="get" action="/interaction/${uid}">
<label for="tenant">The short name of your organization</label><input id="tenant" name="tenant" type="text" required autocomplete="organization" autocapitalize="none" spellcheck="false" autofocus>
<button class="primary">Continue</button></form>`,
  );
}

function send(response: Response, title: string, content: Html): void {
  response.type('html').send(page(title, content));
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
