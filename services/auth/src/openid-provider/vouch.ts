// The exchange by which an application has Reeve vouch for its person towards the authorization server of somebody else
// (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §4.3). The endpoint, who asks and proofs are the library's;
// what a tenant allows is decided in vouching/. Redeeming what others have signed is identity-assertions.ts.
import { type Cause, event, type Id, newEventId, platformTenantId, type TenantId } from '@reeve/contracts';
import type { Clock, Entry, Store } from '@reeve/store';
import { SignJWT } from 'jose';
import { errors, type Provider } from 'oidc-provider';
// Made for grants of one's own, and not held to the library's versions: docs/decisions.md.
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { KnownApplication } from '../applications/known-application.ts';
import { identityAssertionType } from '../identity-assertions/identity-assertion.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import {
  claimsOf,
  decideVouching,
  isRefused,
  lastsSeconds,
  oneOrMany,
  type Refused,
  refused,
  type Vouched,
} from '../vouching/vouching.ts';
import { subjectOf, type VouchingPolicies, type VouchingPolicy } from '../vouching/vouching-policy.ts';
import { type AccountParts, surfaceOf } from './accounts.ts';
import { identityAssertionToken } from './client-metadata.ts';
import type { ExchangeContext } from './exchange-request.ts';
import { clientCause } from './issue-token.ts';
import { requestScope } from './request-scope.ts';
import { createFindVouchingSubject, type SubjectToken } from './vouching-subject.ts';

type Parts = AccountParts & {
  issuer: string;
  keys: Pick<SigningKeys, 'all' | 'signing'>;
  policies: VouchingPolicies;
  store: Pick<Store, 'recordFact'> & { clock: Clock };
};

const subjectTypes: Record<string, SubjectToken['type']> = {
  'urn:ietf:params:oauth:token-type:id_token': 'id_token',
  'urn:ietf:params:oauth:token-type:refresh_token': 'refresh_token',
};
const samlType = 'urn:ietf:params:oauth:token-type:saml2';

export function createVouch(provider: Provider, parts: Parts) {
  const { policies, store } = parts;
  const find = createFindVouchingSubject(provider, { ...parts, keys: parts.keys.all(), clock: store.clock });

  return async (ctx: ExchangeContext): Promise<void> => {
    const { clientId } = ctx.oidc.client;
    const { subject, audience, resources, scopes } = readRequest(ctx);
    const proof = await validateDpop(provider, ctx);
    checkDpopRequired(provider, ctx, proof);
    const application = await parts.applications.findNow(clientId);
    if (!application || application.authentication.method === 'none')
      throw new errors.UnauthorizedClient('the client has to prove itself by a secret or a key');
    const asking = { application, jkt: proof?.thumbprint };
    const session = await find(subject, asking);
    if (isRefused(session)) return refuse(parts, ctx, { application, session: null, policy: null, ...session });
    const { tenantId } = session;
    // As it is now, at whichever instance it was changed.
    const policy = await policies.in(tenantId).getByUnique('subject', subjectOf({ clientId, audience }));
    const now = store.clock.now();
    const vouched = decideVouching({ policy, session: session.state, resources, scopes, now });
    const about = { application, session, tenantId, policy };
    if (isRefused(vouched)) return refuse(parts, ctx, { ...about, ...vouched });
    // Registered here since the policy was made: what is signed for it is for nobody but the platform to say.
    if (await parts.resourceServers.isOwn(audience))
      return refuse(parts, ctx, { ...about, ...refused('audience', 'the audience is an API here') });
    await checkDpopReplay(provider, ctx, proof, clientId, errors.InvalidDpopProof);
    const issued = await sign(parts, { ...asking, session, vouched, now });
    await parts.live.use(session, clientId);
    requestScope().writeLater('identity assertion', () => recordIssued(parts, { clientId, session, vouched, issued }));
    ctx.body = buildTokenResponse(provider, {
      accessToken: issued.assertion,
      expiresIn: issued.expiresIn,
      issuedTokenType: identityAssertionToken,
      // It is no access token, and nobody takes it for one (RFC 8693 §2.2.1).
      tokenType: 'N_A',
      scope: vouched.scopes.join(' '),
      ...(vouched.resources.length === 0 ? {} : { parameters: { resource: oneOrMany(vouched.resources) } }),
    });
  };
}

/** That a parameter is there once the library sees to, except for `audience` and `resource`. */
function readRequest({ oidc: { params } }: ExchangeContext) {
  const { subject_token: token, subject_token_type: type, scope } = params;
  if (typeof token !== 'string' || token === '' || typeof type !== 'string' || type === '')
    throw new errors.InvalidRequest('subject_token and subject_token_type are required');
  if (type === samlType)
    throw new errors.InvalidRequest(
      'Reeve signs no SAML assertions, and so takes none: bring an id_token or a refresh_token',
    );
  const subjectType = Object.hasOwn(subjectTypes, type) ? subjectTypes[type] : undefined;
  if (!subjectType)
    throw new errors.InvalidRequest(`subject_token_type has to be one of ${Object.keys(subjectTypes).join(', ')}`);
  if (params.actor_token !== undefined || params.actor_token_type !== undefined)
    throw new errors.InvalidRequest('no actor_token is taken with an identity assertion');
  const [audience, another] = [...new Set([params.audience ?? []].flat())];
  if (audience === undefined || audience === '')
    throw new errors.InvalidRequest('audience is required: the issuer of the authorization server');
  if (another !== undefined) throw new errors.InvalidTarget('an identity assertion is for one authorization server');
  return {
    subject: { token, type: subjectType },
    audience,
    resources: [...new Set([params.resource ?? []].flat())],
    scopes: typeof scope === 'string' ? scope.split(' ').filter(word => word !== '') : undefined,
  };
}

type Signing = {
  application: KnownApplication;
  jkt: string | undefined;
  session: LiveSession;
  vouched: Vouched;
  now: Date;
};

/** By the key of access tokens, no longer than the session goes on. */
async function sign({ issuer, keys, live }: Parts, { application, jkt, session, vouched, now }: Signing) {
  const { tenantId, state } = session;
  const key = keys.signing('accessToken');
  const issuedAt = Math.floor(now.getTime() / 1_000);
  const sessionEnds = Math.floor(Date.parse(await live.overFor(session, surfaceOf(application))) / 1_000);
  const exp = Math.min(issuedAt + lastsSeconds, sessionEnds);
  const id = newEventId();
  const assertion = await new SignJWT(claimsOf({ ...vouched, tenantId, session: state, jkt }))
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: identityAssertionType })
    .setIssuer(issuer)
    .setSubject(state.userId)
    .setAudience(vouched.policy.state.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(exp)
    .setJti(id)
    .sign(key);
  return { assertion, id, expiresIn: exp - issuedAt, expiresAt: new Date(exp * 1_000).toISOString() };
}

type Issued = {
  clientId: string;
  session: LiveSession;
  vouched: Vouched;
  issued: Awaited<ReturnType<typeof sign>>;
};

async function recordIssued({ store }: Parts, { clientId, session, vouched, issued }: Issued) {
  const { policy, resources, scopes } = vouched;
  const { audience, audienceClientId } = policy.state;
  const told = event('identity_assertion.issued', {
    id: session.id,
    because: 'requested',
    details: {
      userId: session.state.userId,
      clientId,
      policyId: policy.id as Id<'vouchingPolicy'>,
      audience,
      audienceClientId,
      resources,
      scopes,
      assertionId: issued.id,
      expiresAt: issued.expiresAt,
    },
  });
  await store.recordFact(session.tenantId, told, causeIn(clientId, session));
}

const causeIn = (clientId: string, session: LiveSession | null): Cause =>
  clientCause(clientId, session ? { sessionId: session.id, connectionId: session.state.connectionId } : {});

type Refusing = Refused & {
  application: KnownApplication;
  session: LiveSession | null;
  /** Of the person; null where it is not known, or the application has nothing to do with it. */
  tenantId: TenantId | null;
  policy: Entry<VouchingPolicy> | null;
};

/** On the record of the person's tenant, or else of whose the application is. */
async function refuse(
  { store }: Parts,
  ctx: ExchangeContext,
  { application, session, tenantId, policy, refused: because, detail }: Refusing,
): Promise<void> {
  const told = event('identity_assertion.not_issued', {
    id: application.id as Id<'client'>,
    because,
    details: { userId: session?.state.userId ?? null, audience: policy?.state.audience ?? null, detail },
  });
  const owner = tenantId ?? application.tenantId ?? platformTenantId;
  await store.recordFact(owner, told, causeIn(application.id, session));
  if (because === 'authentication') return sayInsufficient(ctx, policy);
  if (because === 'audience' || because === 'resource')
    throw new errors.InvalidTarget('audience or resource is none that this client may name');
  if (because === 'scope')
    throw new errors.InvalidScope('none of these scopes may be had there', (policy?.state.scopes ?? []).join(' '));
  throw new errors.InvalidGrant('the subject token counts no more, or is none for which this client may ask');
}

/** RFC 9470 §3, as the draft has it in an answer of the token endpoint: errors of the library have no room for it. */
function sayInsufficient(ctx: ExchangeContext, policy: Entry<VouchingPolicy> | null): void {
  const { acrValues = [], maxAgeSeconds = null } = policy?.state ?? {};
  ctx.status = 400;
  ctx.body = {
    error: 'insufficient_user_authentication',
    error_description: 'the person has to sign in once more, as it says here',
    ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
    ...(maxAgeSeconds === null ? {} : { max_age: maxAgeSeconds }),
  };
}
