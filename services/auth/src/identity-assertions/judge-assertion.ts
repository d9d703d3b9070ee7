// Whom an assertion vouches for, in which tenant, and what that is worth to the assistant that brought it. An assertion
// names its issuer alone: which tenants trust it, and for what, each of them says. It is judged by each whose people
// the assistant serves, and counts where exactly one of them takes it.
import type { TenantId } from '@reeve/contracts';
import { type createRelyingParty, type SignsBy, StepError } from '@reeve/relying-party';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Clock, Entry, TenantEntry } from '@reeve/store';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { KnownApplication } from '../applications/known-application.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { subjectFor } from '../connections/mapping.ts';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import { domainOf } from '../domains/domain-name.ts';
import type { EnforceDomain } from '../home-realm/enforce-domain.ts';
import { type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import { type AssertionIssuer, type AssertionIssuers, knownAs } from './assertion-issuer.ts';
import type { AssistantPolicy } from './assistant-policy.ts';
import type { AssistantPolicyDirectory } from './assistant-policy-directory.ts';
import {
  type Assertion,
  checkedAssertion,
  identityAssertionType,
  isRefused,
  namesIn,
  type Refused,
  refused,
  resourceOf,
  scopesOf,
  subjectIn,
  wordsOf,
  wrongInBinding,
  wrongInSignIn,
} from './identity-assertion.ts';

export type JudgeParts = {
  issuers: AssertionIssuers;
  directory: Pick<AssistantPolicyDirectory, 'of'>;
  connections: ConnectionDirectory;
  kinds: Kinds;
  tenants: TenantDirectory;
  applications: ApplicationDirectory;
  resourceServers: ResourceServerDirectory;
  domains: DomainDirectory;
  enforceDomain: EnforceDomain;
  readSigned: ReturnType<typeof createRelyingParty>['readSigned'];
  ownIssuer: string;
  clock: Clock;
};

export type Brought = {
  assertion: string;
  application: KnownApplication;
  resources: readonly string[];
  scopes: readonly string[] | undefined;
  /** For whose person the assistant asks, by its id or slug; null where it does not say. */
  tenant: string | null;
  /** The key that was proven with it. */
  jkt: string | undefined;
};

export type Accepted = {
  tenantId: TenantId;
  connectionId: AssistantPolicy['connectionId'];
  /** What the connection's provider calls itself. */
  issuer: string;
  trust: AssertionIssuer;
  policy: Entry<AssistantPolicy>;
  said: Assertion;
  /** By what the connection knows the person, and what their provider calls them. */
  subject: string;
  providerSubject: string;
  server: ResourceServer;
  scopes: string[];
};

/** Told to the tenants that know the issuer and the assistant. */
export type RefusedThere = Refused & { tenantId: TenantId; connectionId: AssistantPolicy['connectionId'] };

type Candidate = TenantEntry<AssertionIssuer>;

const mostOfAnIssuer = 1_000;
const judgedAtOnce = 50;

export type JudgeAssertion = ReturnType<typeof createJudgeAssertion>;

export function createJudgeAssertion(parts: JudgeParts) {
  const { directory, connections, kinds, tenants, applications, resourceServers, domains, clock } = parts;
  const everywhere = parts.issuers.acrossTenants('an assertion names only the identity provider that signed it');

  /** Those whose people the assistant may have to do with, and who have said so. */
  async function candidatesFor({ assertion, application, tenant: meant }: Brought): Promise<Candidate[]> {
    const names = namesIn(assertion);
    if (!names || names.issuer === parts.ownIssuer) return [];
    const { issuer, tenant = null } = names;
    const isName = tenant === null || typeof tenant === 'string';
    const exact = isName ? await everywhere.findBy('knownAs', knownAs(issuer, tenant), mostOfAnIssuer) : [];
    // One that says another tenant is on the record where it was tried.
    const found = exact.length > 0 ? exact : await everywhere.findBy('issuer', issuer, mostOfAnIssuer);
    const only = meant === null ? null : await tenants.findNamed(meant);
    if (meant !== null && !only) return [];
    const served: Candidate[] = [];
    for (const one of found.filter(({ tenantId }) => only === null || tenantId === only.id))
      if ((await applications.serves(application, one.tenantId)) && (await isOpen(one.tenantId))) served.push(one);
    return served;
  }

  const isOpen = async (tenantId: TenantId) => (await tenants.findNow(tenantId))?.status === 'active';

  function keysOf({ issuer, jwksUri, algorithms }: AssertionIssuer, { kind, settings }: Connection): SignsBy | null {
    const { signals }: ConnectionKind = kinds[kind];
    const published = jwksUri === null ? signals.keys(settings) : { issuer, jwksUri };
    // Another provider was set at the connection since.
    if (published?.issuer !== issuer) return null;
    return { issuer, jwks_uri: published.jwksUri, id_token_signing_alg_values_supported: [...algorithms] };
  }

  async function readSigned(signs: SignsBy, token: string): Promise<object> {
    try {
      return await parts.readSigned(signs, { token, type: identityAssertionType });
    } catch (error) {
      if (!(error instanceof StepError)) throw error;
      if (error.step === 'id_token_type') return refused('type', `it is no ${identityAssertionType}`);
      if (error.step === 'id_token_signature') return refused('signature', 'it is signed by none of the keys');
      return refused('keys_unavailable', `the keys of the identity provider are not to be had: ${error.step}`);
    }
  }

  /** Whom another tenant, or another connection of this one, speaks for by their address. */
  async function isOfAnother(of: { tenantId: TenantId; connectionId: string; email: string }): Promise<boolean> {
    const domain = domainOf(of.email);
    const holder = domain === null ? null : await domains.holderOf(domain);
    return (holder !== null && holder.tenantId !== of.tenantId) || parts.enforceDomain.isElsewhere(of);
  }

  async function judgeAt(
    { tenantId, id, state: trust }: Candidate,
    { assertion, application, ...asked }: Brought,
  ): Promise<Accepted | Refused> {
    const connectionId = id as AssistantPolicy['connectionId'];
    const isOfBoth = ({ state }: Entry<AssistantPolicy>) =>
      state.connectionId === connectionId && state.clientId === application.id;
    const policies = (await directory.of(tenantId)).filter(isOfBoth);
    if (policies.length === 0) return refused('not_allowed', 'no policy names the application and the connection');
    const connection = await connections.findActive(tenantId, connectionId);
    if (!connection || !trust.enabled)
      return refused('issuer', 'the connection, or its word for others, is not in use');
    const signs = keysOf(trust, connection.state);
    if (!signs) return refused('issuer', 'the connection has another provider by now');
    const claims = await readSigned(signs, assertion);
    if (isRefused(claims)) return claims;
    const now = clock.now();
    const said = checkedAssertion(claims, {
      issuer: trust.issuer,
      tenantClaim: trust.tenantClaim,
      audience: parts.ownIssuer,
      clientId: application.id,
      tenantNames: [tenantId, (await tenants.findNow(tenantId))?.slug ?? ''],
      now,
    });
    if (isRefused(said)) return said;
    const resource = resourceOf({
      resources: asked.resources,
      ofClaim: said.resource,
      policies: policies.map(({ state }) => state.resource),
    });
    if (typeof resource !== 'string') return resource;
    const policy = policies.find(({ state }) => state.resource === resource);
    const server = await resourceServers.find(resource);
    const allowed = server && scopesFor(server, application);
    if (!policy || !allowed) return refused('resource', 'the API is none that the application may ask for any more');
    const scopes = scopesOf(policy.state.scopes, asked.scopes, wordsOf(said.scope), allowed);
    if (!Array.isArray(scopes)) return scopes;
    const binding = { jkt: asked.jkt, requireDpop: policy.state.requireDpop };
    const wrong = wrongInBinding(said, binding) ?? wrongInSignIn(said, policy.state, now);
    if (wrong) return wrong;
    if (said.email !== undefined && (await isOfAnother({ tenantId, connectionId, email: said.email })))
      return refused('domain', 'another connection speaks for the domain of email');
    const named = subjectIn(said, { entityId: connection.state.issuer, nameId: trust.nameId });
    if (typeof named !== 'string') return named;
    const subject = connection.state.identifier ? subjectFor(connection.state, said) : named;
    if (subject === null) return refused('subject', 'it does not say by what the connection knows people');
    const { issuer } = connection.state;
    const providerSubject = said.sub_id?.format === 'saml-nameid' ? said.sub_id.nameid : said.sub;
    return { tenantId, connectionId, issuer, trust, policy, said, subject, providerSubject, server, scopes };
  }

  return async (brought: Brought): Promise<Accepted | RefusedThere[]> => {
    const accepted: Accepted[] = [];
    const refusals: RefusedThere[] = [];
    const judge = async (one: Candidate) => ({ one, judged: await judgeAt(one, brought) });
    const candidates = await candidatesFor(brought);
    const all: Awaited<ReturnType<typeof judge>>[] = [];
    // Side by side: keys of one tenant's provider that do not come hold up the others once; and not all of very many.
    for (let from = 0; from < candidates.length; from += judgedAtOnce)
      all.push(...(await Promise.all(candidates.slice(from, from + judgedAtOnce).map(judge))));
    for (const { one, judged } of all) {
      const there = { tenantId: one.tenantId, connectionId: one.id as AssistantPolicy['connectionId'] };
      if (isRefused(judged)) refusals.push({ ...judged, ...there });
      else accepted.push(judged);
    }
    const [only, another] = accepted;
    if (only && !another) return only;
    if (another)
      return accepted.map(({ tenantId, connectionId }) => ({
        ...refused(
          'ambiguous',
          'several connections take it; aud_tenant, or tenant of the request, would say which tenant is meant',
        ),
        tenantId,
        connectionId,
      }));
    // Tenants that have nothing to do with the assistant are not told of it, unless it can be no other.
    const concerned = refusals.filter(one => one.refused !== 'not_allowed');
    return concerned.length > 0 || refusals.length > 1 ? concerned : refusals;
  };
}
