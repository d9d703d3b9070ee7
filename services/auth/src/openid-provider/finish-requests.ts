// The end of each request to the provider. What it tells in events alone, which cannot be awaited, is done here before
// the answer goes out: the end of a session, and the record of a refresh token that came twice. Then what the request
// is to write is written.
import { metrics } from '@opentelemetry/api';
import { type Cause, event, serviceCause } from '@reeve/contracts';
import type { Store } from '@reeve/store';
import { errors, type KoaContextWithOIDC, type Provider } from 'oidc-provider';
import type { SingleLogout } from '../sessions/single-logout.ts';
import { saidAsOfNow } from './account-claims.ts';
import { type AccountParts, findLive, refOfToken } from './accounts.ts';
import { requestScope } from './request-scope.ts';
import { sessionOfLogin } from './session-of-login.ts';

/** Of those that are bound to a path of their interaction. */
export const cookieNames = { interaction: 'reeve_interaction', resume: 'reeve_resume' };

/** Which browser it is. A `__Host-` cookie is for https and for the path /. */
export function sessionCookieOf(issuer: string): { name: string; secure: boolean } {
  const secure = issuer.startsWith('https:');
  return { name: secure ? '__Host-reeve_session' : 'reeve_session', secure };
}

const requests = metrics.getMeter('@reeve/auth').createCounter('reeve.token_requests', {
  description: 'Requests for tokens, by grant and by what came of them',
});

/** RFC 6749 §5.2, and what others add that we answer. A closed list: strangers choose what they send. */
const grantTypes = new Map([
  ['authorization_code', 'authorization_code'],
  ['refresh_token', 'refresh_token'],
  ['client_credentials', 'client_credentials'],
  ['urn:ietf:params:oauth:grant-type:device_code', 'device_code'],
  ['urn:ietf:params:oauth:grant-type:token-exchange', 'token_exchange'],
  ['urn:ietf:params:oauth:grant-type:jwt-bearer', 'jwt_bearer'],
]);

function countTokenRequests(provider: Provider): void {
  const count = (ctx: KoaContextWithOIDC, outcome: string) => {
    const asked = ctx.oidc.params?.['grant_type'];
    requests.add(1, { grant_type: grantTypes.get(String(asked)) ?? 'other', outcome });
  };
  provider.on('grant.success', ctx => count(ctx, 'issued'));
  // The names of errors are the library's and ours.
  provider.on('grant.error', (ctx, error) => count(ctx, error.error));
}

type Parts = AccountParts & { store: Pick<Store, 'recordFact'>; singleLogout: SingleLogout };

export function finishRequests(provider: Provider, parts: Parts): void {
  const reused = new WeakSet<KoaContextWithOIDC>();
  const signedOut = new WeakSet<KoaContextWithOIDC>();
  countTokenRequests(provider);
  provider.on('grant.error', (ctx, error) => {
    if (error.error_detail === 'refresh token already used') reused.add(ctx);
  });
  provider.on('end_session.success', ctx => void signedOut.add(ctx));
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    try {
      showResumed(ctx);
      await next();
      requestScope().throwFailure();
      if (reused.has(ctx)) await recordReuse(parts, ctx);
      if (signedOut.has(ctx)) await signOut(parts, ctx);
      nameTokensOutside(ctx);
      await tellAsOfNow(parts, ctx);
      await sayWhoMayCome(parts, ctx);
      await requestScope().flush().catch(refuseGrant(ctx));
    } catch (error) {
      // Nothing is answered here: the kit does, as everywhere.
      ctx.respond = false;
      requestScope().fail(error);
    }
  });
}

/** Who is found to have come too late when it is written gets none of what was made for them. */
const refuseGrant = (ctx: KoaContextWithOIDC) => (error: unknown) => {
  if (!(error instanceof errors.InvalidGrant)) throw error;
  ctx.status = error.status;
  ctx.body = { error: error.error, error_description: error.error_description };
};

/** Its cookie has the path of the provider's own way back, and the browser is not sent there. */
function showResumed(ctx: KoaContextWithOIDC): void {
  const uid = requestScope().resumed();
  if (uid === undefined) return;
  const get = ctx.cookies.get.bind(ctx.cookies);
  ctx.cookies.get = (name, options) => (name === cookieNames.resume ? uid : get(name, options));
}

/** A refresh token that was followed and comes again is known to two: the provider has ended its family. */
async function recordReuse(parts: Parts, ctx: KoaContextWithOIDC): Promise<void> {
  const ref = refOfToken(ctx.oidc.entities.RefreshToken);
  const session = ref && (await findLive(parts, ref));
  if (!session) return;
  const { userId, connectionId } = session.state;
  const clientId = ctx.oidc.client?.clientId ?? null;
  const reused = event('token.reuse_detected', {
    id: session.id,
    because: 'refresh_token_reused',
    details: { userId },
  });
  const { context, correlationId } = requestScope().cause;
  await parts.store.recordFact(session.tenantId, reused, {
    actor: { type: 'client', id: clientId, name: null, via: 'client' },
    context: { ...context, sessionId: session.id, connectionId, clientId },
    correlationId,
  });
}

/** The browser's login is gone: our session ends with it. */
async function signOut(parts: Parts, ctx: KoaContextWithOIDC): Promise<void> {
  const ref = ctx.oidc.params?.['logout'] && ctx.oidc.session ? sessionOfLogin(ctx.oidc.session) : null;
  const found = ref && (await findLive(parts, ref));
  if (!found) return;
  const { context, correlationId } = requestScope().cause;
  const { userId: id, displayName: name } = found.state;
  const cause: Cause = {
    ...serviceCause('auth', { correlationId }),
    actor: { type: 'user', id, name, via: 'session' },
    context: { ...context, sessionId: found.id },
  };
  await parts.live.end(ref, 'signed_out', cause);
  const next = ctx.response.get('Location');
  if (next !== '') ctx.redirect(await parts.singleLogout.leaveBy(found, next, cause));
}

/**
 * To whoever introspects a person's access token: which session it is of (the library says its own name of one, or
 * none), and of what the token says what is still so.
 */
async function tellAsOfNow(parts: Parts, ctx: KoaContextWithOIDC): Promise<void> {
  const { body, oidc } = ctx;
  const token = oidc.entities.AccessToken;
  const ref = oidc.route === 'introspection' && isObject(body) && body['active'] === true ? refOfToken(token) : null;
  const found = ref && (await findLive(parts, ref));
  if (found) Object.assign(body as object, saidAsOfNow(token?.extra ?? {}, found), { sid: found.id });
}

/** In what is said of this issuer, at both places. */
async function sayWhoMayCome({ applications }: Parts, { body }: KoaContextWithOIDC): Promise<void> {
  if (!isObject(body) || body['authorization_endpoint'] === undefined || !(await applications.takesDocuments())) return;
  body['client_id_metadata_document_supported'] = true;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function nameTokensOutside(ctx: KoaContextWithOIDC): void {
  const body: unknown = ctx.body;
  if (!isObject(body) || typeof body['refresh_token'] !== 'string') return;
  body['refresh_token'] = requestScope().nameOutside(body['refresh_token']);
}
