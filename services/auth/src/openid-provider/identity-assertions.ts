// The grant of RFC 7523 by which an assistant gets an access token for an API in the name of a person whom their
// identity provider vouches for (ID-JAG, draft-ietf-oauth-identity-assertion-authz-grant §4.4). The endpoint, who asks,
// proofs and tokens are the library's; what the assertion is worth is judged in identity-assertions/. Whatever is wrong
// with it has one answer, and its reason is on the tenant's record.
import { event } from '@reeve/contracts';
import type { Clock, Store } from '@reeve/store';
import { type Client, errors, type Provider, type TokenEndpointGrantContext } from 'oidc-provider';
// Made for grants of one's own, and not held to the library's versions: docs/decisions.md.
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import type { DelegatedSessions } from '../delegated-sessions/delegated-sessions.ts';
import { acrOf } from '../factors/level.ts';
import { delegationKey } from '../identity-assertions/delegation.ts';
import {
  type Actor,
  isRefused,
  type Refused,
  refused,
  skewSeconds,
} from '../identity-assertions/identity-assertion.ts';
import type { Accepted, JudgeAssertion, RefusedThere } from '../identity-assertions/judge-assertion.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import type { UsedOnce } from '../used-once.ts';
import { type AccountParts, surfaceOf } from './accounts.ts';
import { identityAssertionToken, jwtBearer, tokenExchange } from './client-metadata.ts';
import { type Act, actorsOf } from './exchange.ts';
import { sayInExchange } from './exchanged-claims.ts';
import { clientCause, issueToken } from './issue-token.ts';
import { requestScope } from './request-scope.ts';

export const identityAssertionProfile = 'urn:ietf:params:oauth:grant-profile:id-jag';

const parameters = ['assertion', 'resource', 'scope', 'tenant', 'authorization_details'] as const;
type Parameters = Partial<Record<(typeof parameters)[number], string | string[]>>;
type Context = TokenEndpointGrantContext<Parameters>;

export type AssertionParts = AccountParts & {
  judge: JudgeAssertion;
  used: UsedOnce;
  delegated: Pick<DelegatedSessions, 'open'>;
  identities: Pick<IdentityResolver, 'find'>;
  store: Pick<Store, 'recordFact'> & { clock: Clock };
};

export function registerIdentityAssertions(provider: Provider, parts: AssertionParts): void {
  async function redeem(ctx: Context): Promise<void> {
    const { client, params } = ctx.oidc;
    const { assertion, scope, tenant } = params;
    if (typeof assertion !== 'string' || assertion === '') throw new errors.InvalidRequest('assertion is required');
    if (params.authorization_details !== undefined)
      throw new errors.InvalidRequest('there are no types of authorization_details here');
    const proof = await validateDpop(provider, ctx);
    checkDpopRequired(provider, ctx, proof);
    const application = await parts.applications.find(client.clientId);
    if (!application || application.authentication.method === 'none') throw new errors.InvalidGrant('no such client');
    const judged = await parts.judge({
      assertion,
      application,
      resources: [...new Set([params.resource ?? []].flat())],
      scopes: typeof scope === 'string' ? scope.split(' ').filter(word => word !== '') : undefined,
      tenant: typeof tenant === 'string' ? tenant : null,
      jkt: proof?.thumbprint,
    });
    const { clientId, clientName = clientId } = client;
    if (Array.isArray(judged)) throw await onRecord(parts, clientId, judged);
    await checkDpopReplay(provider, ctx, proof, clientId, errors.InvalidDpopProof);
    const refuse = async (why: Refused) => onRecord(parts, clientId, [{ ...judged, ...why }]);
    // Looked at before anything is done by it, and used up last: whoever is lost on the way has not used it up.
    if (await isUsed(parts, judged)) throw await refuse(replayed);
    const session = await openSession(parts, judged, { clientId, name: clientName, surface: application.surface });
    if (isRefused(session)) throw await refuse(session);
    const issued = await issue({ ...parts, provider, jkt: proof?.thumbprint }, judged, {
      client,
      surface: application.surface,
      session,
    });
    await parts.live.use(session, clientId);
    // An opaque token is there before its assertion is used up.
    await requestScope().flush();
    if (!(await use(parts, judged))) throw await refuse(replayed);
    requestScope().writeLater('identity assertion', () => recordRedeemed(parts, { clientId, judged, session, issued }));
    const { identifier: resource } = judged.server;
    ctx.body = buildTokenResponse(provider, { ...issued.answer, parameters: { resource } });
  }

  provider.registerGrantType<Parameters>(jwtBearer, redeem, parameters, ['resource']);
  provider.use(sayUnauthorized);
}

type Said = { grant_type?: unknown; requested_token_type?: unknown };

/** What has to do with identity assertions, redeemed here or asked for. */
function grantOfAssertions(params: Said | undefined): string | null {
  const { grant_type: grant, requested_token_type: wanted } = params ?? {};
  if (grant === jwtBearer) return jwtBearer;
  return grant === tokenExchange && wanted === identityAssertionToken ? tokenExchange : null;
}

/** RFC 6749 §5.2. The library says `invalid_request` to an application that may not use the grant. */
async function sayUnauthorized(ctx: Context, next: () => Promise<void>): Promise<void> {
  await next();
  const { oidc, body } = ctx as { oidc?: Context['oidc']; body: unknown };
  const isRefusal = typeof body === 'object' && body !== null && 'error' in body && body.error === 'invalid_request';
  const grantType = grantOfAssertions(oidc?.params as Said | undefined);
  if (!isRefusal || oidc?.route !== 'token' || grantType === null) return;
  if (oidc.client && !oidc.client.grantTypeAllowed(grantType))
    ctx.body = { error: 'unauthorized_client', error_description: 'the grant is not allowed for this client' };
}

type Assistant = { clientId: string; name: string; surface: string | null };

const replayed = refused('replayed', 'it has been redeemed before');

const isUsed = async ({ used }: AssertionParts, { connectionId, trust, said }: Accepted): Promise<boolean> =>
  trust.reuse === 'once' && (await used.isUsed(connectionId, said.jti));

/** False where another was first with it: what was made for this one is given to nobody. */
const use = async ({ used }: AssertionParts, { connectionId, trust, said }: Accepted): Promise<boolean> =>
  trust.reuse !== 'once' || (await used.use(connectionId, said.jti, new Date((said.exp + 2 * skewSeconds) * 1_000)));

async function openSession({ delegated, identities }: AssertionParts, judged: Accepted, assistant: Assistant) {
  const { tenantId, connectionId, issuer, said, subject, providerSubject, policy } = judged;
  const { clientId, name, surface } = assistant;
  if (said.aud_sub !== undefined) {
    const userId = await identities.find({ tenantId, connectionId, by: { issuer, subject } });
    if (userId !== said.aud_sub) return refused('subject', 'aud_sub is somebody else than sub');
  }
  const opened = await delegated.open({
    tenantId,
    connectionId,
    subject,
    providerSubject,
    delegate: { clientId, name, by: 'id_jag', key: delegationKey(policy.id, subject) },
    surface: surface ?? 'assistant',
    authenticatedAt: said.auth_time === undefined ? null : new Date(said.auth_time * 1_000),
    amr: said.amr ?? [],
    acr: said.acr ?? null,
    cause: clientCause(clientId, { connectionId }),
  });
  if (!('refused' in opened)) return opened;
  return opened.refused === 'inactive'
    ? refused('user_inactive', 'the person, or their tenant, is not in use')
    : refused('identity_unknown', 'the connection knows nobody by that name');
}

const actorOf = ({ sub, iss, act }: Actor): Act => ({ sub, iss, ...(act ? { act: actorOf(act) } : {}) });

type Issuing = { client: Client; surface: string | null; session: LiveSession };

/** For the API alone, no longer than the session, and without a refresh token: the provider vouches again. */
async function issue(
  { provider, jkt, ...parts }: AssertionParts & { provider: Provider; jkt: string | undefined },
  { said, server, scopes, policy, tenantId }: Accepted,
  { client, surface, session }: Issuing,
) {
  const now = Math.floor(parts.store.clock.now().getTime() / 1_000);
  const sessionEnds = Math.floor(Date.parse(await parts.live.overFor(session, surfaceOf({ surface }))) / 1_000);
  const exp = Math.min(now + server.tokenSeconds, sessionEnds);
  const act: Act = {
    sub: client.clientId,
    client_id: client.clientId,
    ...(said.act ? { act: actorOf(said.act) } : {}),
  };
  sayInExchange({
    tid: tenantId,
    sid: session.id,
    amr: ['fed', ...(said.amr ?? [])],
    acr: acrOf({ acr: said.acr ?? null }) ?? undefined,
    auth_time: said.auth_time,
    surface: surface ?? undefined,
    grant_id: policy.state.grantName,
    act,
    delegated_by: 'id_jag',
  });
  const grantId = parts.grants.nameGrant({ tenantId, sessionId: session.id });
  const token = { client, accountId: session.state.userId, grantId, gty: 'id_jag', server, scopes, now, exp, jkt };
  return { ...(await issueToken(provider, token)), actors: actorsOf(act) };
}

type Redeemed = {
  clientId: string;
  judged: Accepted;
  session: LiveSession;
  issued: Awaited<ReturnType<typeof issue>>;
};

async function recordRedeemed({ store }: AssertionParts, { clientId, judged, session, issued }: Redeemed) {
  const { tenantId, connectionId, policy, said, server, scopes } = judged;
  const { actors, tokenId, expiresAt } = issued;
  const redeemed = event('identity_assertion.redeemed', {
    id: session.id,
    because: 'requested',
    details: {
      userId: session.state.userId,
      clientId,
      policyId: policy.id as never,
      resource: server.identifier,
      scopes,
      actors,
      assertionId: said.jti,
      tokenId,
      expiresAt,
    },
  });
  await store.recordFact(tenantId, redeemed, clientCause(clientId, { connectionId, sessionId: session.id }));
}

/** What whoever brought it is told, once the tenants are: nothing of why. */
async function onRecord({ store }: AssertionParts, clientId: string, refusals: readonly RefusedThere[]) {
  for (const { tenantId, connectionId, refused: because, detail } of refusals) {
    const told = event('identity_assertion.refused', { id: connectionId, because, details: { clientId, detail } });
    await store.recordFact(tenantId, told, clientCause(clientId, { connectionId }));
  }
  return new errors.InvalidGrant('the assertion is refused');
}
