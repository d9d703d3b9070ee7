// Reeve as an OpenID provider: oidc-provider, configured. It speaks the protocol; who is signed in is decided by our sessions.
import { timingSafeEqual } from 'node:crypto';
import { because, type Cause, type EventDraft, type TenantId } from '@reeve/contracts';
import { causeOf, Html, html, type Logger, page, type TenantDirectory } from '@reeve/service-kit';
import type { Request } from 'express';
import {
  type AdapterFactory,
  type Configuration,
  errors,
  interactionPolicy,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider';
import { sha256 } from '../clients/client.ts';
import type { Config } from '../config.ts';
import type { LiveSession, SignedInSessions } from '../sessions/signed-in-sessions.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import { extraClientMetadata, type OwnMetadata, platformClients } from './client-metadata.ts';
import { resourceServerInfo, tenantOfScope } from './resource-servers.ts';

export type ProviderParts = {
  config: Config;
  log: Logger;
  keys: SigningKeys;
  adapter: AdapterFactory;
  sessions: SignedInSessions;
  tenants: TenantDirectory;
  recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void>;
};

const seconds = { code: 60, idToken: 300, interaction: 900, session: 12 * 3_600, refresh: 14 * 86_400 };

export function createProvider(parts: ProviderParts): Provider {
  const { config, log, keys, adapter, sessions, tenants } = parts;
  const secure = config.REEVE_ISSUER.startsWith('https:');
  const cookie = { httpOnly: true, sameSite: 'lax', signed: true, secure } as const;
  const configuration: Configuration = {
    adapter,
    clients: platformClients(config),
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    extraClientMetadata: { properties: extraClientMetadata },
    jwks: { keys: [keys.accessToken, keys.idToken] as never },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
    cookies: {
      keys: config.REEVE_COOKIE_KEYS,
      // A `__Host-` cookie is for https and for the path /; the other two are bound to their interaction's path.
      names: {
        session: secure ? '__Host-reeve_session' : 'reeve_session',
        interaction: 'reeve_interaction',
        resume: 'reeve_resume',
      },
      long: cookie,
      short: cookie,
    },
    scopes: ['openid', 'offline_access', 'email', 'profile'],
    claims: { openid: ['sub', 'tid', 'sid', 'amr', 'acr', 'auth_time', 'roles'], email: ['email'], profile: ['name'] },
    conformIdTokenClaims: false,
    responseTypes: ['code'],
    extraParams: ['tenant', 'connection', 'auth_key'],
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => true,
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      clientCredentials: { enabled: true },
      pushedAuthorizationRequests: { enabled: true },
      introspection: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
      resourceIndicators: {
        enabled: true,
        defaultResource: ctx => {
          if (ctx.oidc.params?.['grant_type'] !== 'client_credentials') return [];
          throw new errors.InvalidTarget('resource is required: the URL of the service that the token is for');
        },
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServerInfo({ resources: config.REEVE_RESOURCES, tenants }),
      },
    },
    ttl: {
      AccessToken: (_, token) => token.resourceServer?.accessTokenTTL ?? seconds.idToken,
      ClientCredentials: (_, token) => token.resourceServer?.accessTokenTTL ?? seconds.idToken,
      AuthorizationCode: seconds.code,
      IdToken: seconds.idToken,
      Interaction: seconds.interaction,
      Session: seconds.session,
      Grant: seconds.refresh,
      RefreshToken: seconds.refresh,
    },
    clientBasedCORS: () => false,
    interactions: {
      policy: signInPolicy(sessions, tenants),
      url: (_, interaction) => `/interaction/${interaction.uid}`,
    },
    extraTokenClaims: async (ctx, token) => {
      if (token.kind === 'ClientCredentials') {
        const tid = await tenantOfScope(token.scope, tenants);
        return tid ? { tid } : undefined;
      }
      const session = await sessions.findLive(token.sessionUid);
      return session ? claimsOf(session) : undefined;
    },
    // Called with a token when one is exchanged or refreshed: a session that has ended yields no account and so no token.
    findAccount: async (ctx, sub, token) => {
      const uid = token ? uidOf(token) : ctx.oidc.session?.uid;
      const live = token ? await sessions.findLive(uid) : null;
      // The provider may use its id for a session once more: what was issued in the one that ended stays dead.
      if (token && !(live && wasIssuedIn(token, live))) return undefined;
      return {
        accountId: sub,
        async claims() {
          const session = await sessions.findLive(uid);
          return {
            sub,
            ...(session ? { ...claimsOf(session), email: session.state.email, name: session.state.displayName } : {}),
          };
        },
      };
    },
    loadExistingGrant: ctx => loadGrant(ctx, sessions),
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = page(
        'This request could not be handled',
        html`<p class="error">${out.error_description ?? out.error}</p><p class="muted">${out.error}</p>`,
      );
    },
  };
  const provider = new Provider(config.REEVE_ISSUER, configuration);
  provider.proxy = config.REEVE_TRUST_PROXY > 0;
  // Secrets are kept as hashes; comparing hashes in constant time compares the secrets.
  provider.Client.prototype.compareClientSecret = async function compare(
    this: { clientSecret?: string },
    given: string,
  ) {
    const expected = Buffer.from(this.clientSecret ?? '', 'hex');
    const actual = Buffer.from(sha256(given), 'hex');
    return expected.length === actual.length && timingSafeEqual(expected, actual);
  } as never;
  // Signing out, or another person signing in, destroys the provider's session: ours ends first, and awaited, so that it is not forgotten.
  // The event `session.destroyed` comes too late for that, and the adapter cannot tell an end from a change of identifier.
  const destroySession = provider.Session.prototype.destroy;
  provider.Session.prototype.destroy = async function destroy() {
    await sessions.endByUid(this.uid);
    await destroySession.call(this);
  };
  tellOfReuse(provider, parts);
  provider.on('server_error', (_, error) => log.error({ error }, 'the OpenID provider failed'));
  return provider;
}

/**
 * A refresh token that is used a second time is known to two: the provider ends its family, and the log is told before the answer goes out. The provider
 * says why it refuses in an event alone, which cannot be awaited.
 */
function tellOfReuse(provider: Provider, { sessions, recordFact }: ProviderParts): void {
  const reused = new WeakSet<KoaContextWithOIDC>();
  provider.on('grant.error', (ctx, error) => {
    if (error.error_detail === 'refresh token already used') reused.add(ctx);
  });
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    const token = reused.has(ctx) ? ctx.oidc.entities.RefreshToken : undefined;
    const session = token && (await sessions.findLive(uidOf(token)));
    if (!session) return;
    const { userId, connectionId } = session.state;
    const clientId = ctx.oidc.client?.clientId ?? null;
    const event: EventDraft<'token.reuse_detected'> = {
      type: 'token.reuse_detected',
      target: { type: 'session', id: session.id, name: null },
      outcome: 'denied',
      reason: because('refresh_token_reused'),
      details: { userId },
    };
    await recordFact(session.tenantId, event, {
      actor: { type: 'client', id: clientId, name: null, via: 'client' },
      context: { ...causeOf(ctx.req as Request, null).context, sessionId: session.id, connectionId, clientId },
      correlationId: session.id,
    });
  });
}

/** The browser session that a token was issued in. */
function uidOf(token: object): string | undefined {
  const uid: unknown = 'sessionUid' in token ? token.sessionUid : undefined;
  return typeof uid === 'string' ? uid : undefined;
}

function wasIssuedIn(token: object, { state }: LiveSession): boolean {
  const issuedAt: unknown = 'iat' in token ? token.iat : undefined;
  return typeof issuedAt === 'number' && issuedAt >= Math.floor(Date.parse(state.createdAt) / 1000);
}

function claimsOf({ id, tenantId, state }: LiveSession) {
  const { amr, acr, roles, authenticatedAt } = state;
  return {
    tid: tenantId,
    sid: id,
    amr,
    roles,
    auth_time: Math.floor(Date.parse(authenticatedAt) / 1000),
    ...(acr === null ? {} : { acr }),
  };
}

/** Signing in is needed as well when our session has ended, or when the application asks for another tenant than the one signed in to. */
function signInPolicy(sessions: SignedInSessions, tenants: TenantDirectory) {
  const { Check, base } = interactionPolicy;
  const policy = base();
  const needsSignIn = async (ctx: KoaContextWithOIDC) => {
    const { session, result, params } = ctx.oidc;
    if (session?.accountId === undefined || result?.login) return Check.NO_NEED_TO_PROMPT;
    const live = await sessions.findLive(session.uid);
    if (!live) return Check.REQUEST_PROMPT;
    const bound = (ctx.oidc.client?.metadata() as OwnMetadata | undefined)?.tenant_id;
    if (bound !== undefined && bound !== live.tenantId) return Check.REQUEST_PROMPT;
    const asked = params?.['tenant'];
    if (typeof asked !== 'string') return Check.NO_NEED_TO_PROMPT;
    return (await tenants.find(asked))?.id === live.tenantId ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  };
  policy.get('login')?.checks.add(new Check('session_not_live', 'a sign-in is needed', 'login_required', needsSignIn));
  return policy;
}

/** Begins our session right after a sign-in. The applications are the product's own, so what they ask for is granted without a page. */
async function loadGrant(ctx: KoaContextWithOIDC, sessions: SignedInSessions) {
  const { client, session, account, provider, result, requestParamOIDCScopes } = ctx.oidc;
  if (!client || !session || !account) return undefined;
  if (result?.login) await sessions.begin(session.uid, result.login);
  const grantId = session.grantIdFor(client.clientId);
  const grant =
    (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ??
    new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '));
  for (const [resource, server] of Object.entries(ctx.oidc.resourceServers ?? {}))
    grant.addResourceScope(resource, server.scope);
  await grant.save();
  return grant;
}

function logoutSource(ctx: KoaContextWithOIDC, form: string) {
  ctx.type = 'html';
  ctx.body = page(
    'Sign out?',
    html`<p>This ends your session here and in the applications that use it.</p>${new Html(form)}
<button class="primary" form="op.logoutForm" type="submit" name="logout" value="yes" autofocus>Sign out</button><button form="op.logoutForm" type="submit">Stay signed in</button>`,
  );
}

function postLogoutSuccessSource(ctx: KoaContextWithOIDC) {
  ctx.type = 'html';
  ctx.body = page('You are signed out', html`<p>You can close this window.</p>`);
}
