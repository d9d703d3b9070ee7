// The auth service with what it stands between: applications, an identity provider, and provisioning, which is at the
// edge here and answers as a test says.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import {
  type FindIdentityRequest,
  type Id,
  newId,
  type ProblemCode,
  problems,
  type ResolveIdentityRequest,
  type TenantId,
} from '@reeve/contracts';
import {
  type Browser,
  createBrowser,
  eventually,
  type IdentityProvider,
  listen,
  startAnnouncer,
  startIdentityProvider,
  startService,
  vaultKeyFile,
} from '@reeve/testing';
import { decodeJwt } from 'jose';
import { configSchema } from './config.ts';
import { createService } from './service.ts';

export type Auth = Awaited<ReturnType<typeof startAuth>>;
/** A public one has no secret, and it is empty. */
export type Application = { id: Id<'client'>; secret: string };

/** Nobody listens there: the browser stops before it. */
export const callback = 'http://localhost:5999/callback';

/** Answers as a test says; by default each subject is a member of its own. */
async function startProvisioning() {
  const known = new Map<string, Id<'user'>>();
  const asked: ResolveIdentityRequest[] = [];
  type Answer = object | ProblemCode;
  let answer: ((request: ResolveIdentityRequest) => Answer | Promise<Answer>) | null = null;
  const usual = ({ subject, email, displayName }: ResolveIdentityRequest) => {
    const before = known.get(subject);
    const userId = before ?? newId('user');
    known.set(subject, userId);
    return { userId, email, displayName, roles: ['tenant_member'], created: before === undefined };
  };
  const came: { of: ResolveIdentityRequest; userId: string }[] = [];
  /** Of those who have come by that connection, as whom they came last. */
  const find = ({ tenantId, connectionId, by }: FindIdentityRequest) => {
    const isMeant = ({ of, userId }: (typeof came)[number]) =>
      of.tenantId === tenantId &&
      of.connectionId === connectionId &&
      ('subject' in by
        ? of.subject === by.subject
        : 'email' in by
          ? of.email?.toLowerCase() === by.email.toLowerCase()
          : userId === by.userId);
    return { userId: came.findLast(isMeant)?.userId ?? null };
  };
  let foreseen = { outcome: 'created', conflict: null as string | null };
  async function answerTo(url: string, text: string): Promise<Answer> {
    if (url.endsWith(':find')) return find(JSON.parse(text) as FindIdentityRequest);
    if (url.endsWith(':foresee')) return foreseen;
    const question = JSON.parse(text) as ResolveIdentityRequest;
    asked.push(question);
    const answered = await (answer ?? usual)(question);
    if (typeof answered !== 'string' && 'userId' in answered)
      came.push({ of: question, userId: String(answered.userId) });
    return answered;
  }
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', chunk => {
      text += String(chunk);
    });
    request.on('end', () => {
      void answerTo(request.url ?? '', text).then(given => {
        const [status, body] =
          typeof given === 'string' ? [problems[given][0], problemOf(given)] : ([200, given] as const);
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      });
    });
  });
  return {
    ...(await listen(server)),
    asked,
    /** What would become of whoever is asked about. */
    foresees(outcome: string, conflict: string | null = null) {
      foreseen = { outcome, conflict };
    },
    /** Null for the usual answer. */
    answers(as: typeof answer) {
      answer = as;
    },
  };
}

const problemOf = (code: ProblemCode) => {
  const [status, title] = problems[code];
  return { type: 'about:blank', title, status, code, detail: title, traceId: null };
};

export async function startAuth(
  environment: Readonly<Record<string, string>> = {},
  { host = '127.0.0.1' }: { host?: '127.0.0.1' | 'localhost' } = {},
) {
  const provider: IdentityProvider = await startIdentityProvider();
  const provisioning = await startProvisioning();
  const announcer = await startAnnouncer();
  const keyFile = vaultKeyFile();
  const secret = () => randomBytes(32).toString('hex');
  const platform = { id: 'platform', secret: secret() };
  const auth = await startService({
    name: 'auth',
    schema: configSchema,
    create: createService,
    isIssuer: true,
    host,
    environment: {
      REEVE_VAULT_KEY_FILE: keyFile.path,
      REEVE_PROVISIONING_URL: provisioning.url,
      REEVE_RESOURCES: 'self',
      REEVE_PLATFORM_CLIENT_ID: platform.id,
      REEVE_PLATFORM_CLIENT_SECRET: platform.secret,
      REEVE_CONSENT_URL: 'http://127.0.0.1:1',
      REEVE_CONSENT_CLIENT_SECRET: secret(),
      REEVE_COOKIE_KEYS: secret(),
      ...environment,
      REEVE_ALLOWED_PRIVATE_ORIGINS: [provider.issuer, environment['REEVE_ALLOWED_PRIVATE_ORIGINS'] ?? []]
        .flat()
        .join(','),
    },
  });
  keyFile.remove();

  async function token({ id, secret }: Application, parameters: Record<string, string>) {
    const isPublic = secret === '';
    const response = await fetch(`${auth.url}/token`, {
      method: 'POST',
      headers: isPublic ? {} : { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams({ ...parameters, ...(isPublic ? { client_id: id } : {}) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }

  /** A token of the platform team, for the auth service itself. */
  async function asPlatform(): Promise<string> {
    const asked = { grant_type: 'client_credentials', scope: 'platform:admin', resource: auth.url };
    return (await token(platform as Application, asked)).body['access_token'] ?? '';
  }

  async function newTenant(): Promise<{ tenantId: TenantId; slug: string }> {
    const { id: tenantId, slug } = await announcer.newTenant();
    const as = await asPlatform();
    await eventually('the tenant is known', async () => {
      const { status } = await auth.ask('GET', `/v1/tenants/${tenantId}/clients`, { as });
      return status === 200;
    });
    return { tenantId, slug };
  }

  /** Of a tenant, or null for the platform. */
  async function newApplication(tenantId: TenantId | null, settings: object = {}): Promise<Application> {
    const { body, status } = await auth.ask<{ clientId: Id<'client'>; clientSecret: string | null }>(
      'POST',
      tenantId === null ? '/v1/applications' : `/v1/tenants/${tenantId}/applications`,
      {
        as: await asPlatform(),
        body: {
          name: 'An application',
          grantTypes: ['authorization_code', 'refresh_token'],
          redirectUris: [callback],
          ...(tenantId === null ? { tenants: 'all' } : {}),
          ...settings,
        },
      },
    );
    if (status !== 201) throw new Error(`no application: ${JSON.stringify(body)}`);
    return { id: body.clientId, secret: body.clientSecret ?? '' };
  }

  async function newConnection(tenantId: TenantId, settings: object = {}): Promise<Id<'connection'>> {
    const as = await asPlatform();
    const path = `/v1/tenants/${tenantId}/sso-connections`;
    const oidc = { issuer: provider.issuer, clientId: 'reeve', clientSecret: 'a secret' };
    const { body } = await auth.ask<{ id: Id<'connection'> }>('POST', path, {
      as,
      body: { name: 'An identity provider', kind: 'oidc', oidc, jit: { enabled: true }, ...settings },
    });
    await auth.ask('POST', `${path}/${body.id}:activate`, { as });
    return body.id;
  }

  /** Where an application sends a browser to. */
  function authorizationUrl(application: Application, parameters: Record<string, unknown> = {}) {
    const verifier = randomBytes(32).toString('base64url');
    const url = new URL(`${auth.url}/auth`);
    url.search = new URLSearchParams({
      client_id: application.id,
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid email profile',
      state: 'a-state',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(parameters as Record<string, string>),
    }).toString();
    return { url, verifier };
  }

  /**
   * Sends a browser through a sign-in, or until it stops on its way. Where it ends at the application, `code` is what
   * it brings.
   */
  async function authorize(
    application: Application,
    {
      browser = createBrowser(),
      stopAt = callback,
      ...parameters
    }: { browser?: Browser; stopAt?: string } & Record<string, unknown> = {},
  ) {
    const { url, verifier } = authorizationUrl(application, parameters);
    const page = await browser.open(url, stopAt);
    return { browser, page, verifier, code: page.url.searchParams.get('code') };
  }

  /** The whole of it: tokens, and the claims of the ID token. */
  async function signIn(application: Application, parameters: { browser?: Browser } & Record<string, unknown> = {}) {
    const { page, verifier, code, browser } = await authorize(application, parameters);
    if (code === null) throw new Error(`no sign-in: ${page.url.href} ${page.text.slice(-400)}`);
    const resource = parameters['resource'];
    const { status, body } = await token(application, {
      grant_type: 'authorization_code',
      code,
      redirect_uri: callback,
      code_verifier: verifier,
      ...(typeof resource === 'string' ? { resource } : {}),
    });
    if (status !== 200) throw new Error(`no tokens: ${JSON.stringify(body)}`);
    return { browser, tokens: body, claims: decodeJwt(body['id_token'] ?? '') };
  }

  return {
    ...auth,
    provider,
    provisioning,
    platform,
    announce: announcer.announce,
    token,
    asPlatform,
    newTenant,
    newApplication,
    newConnection,
    authorizationUrl,
    authorize,
    signIn,
    refresh: (application: Application, refreshToken: string) =>
      token(application, { grant_type: 'refresh_token', refresh_token: refreshToken }),
    async stop(): Promise<void> {
      await auth.stop();
      await Promise.all([announcer.stop(), provider.stop(), provisioning.stop()]);
    },
  };
}
