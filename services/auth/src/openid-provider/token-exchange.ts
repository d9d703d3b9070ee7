// The grant type of RFC 8693: an API that got a person's access token gets another one by it, for the next API, in
// which it acts for that person. The endpoint, who asks, proofs and tokens are the library's; here stand the steps in
// between. Whatever is wrong with a token that was presented has one answer, so that nobody learns which tokens there
// are.
import type { Clock, Store } from '@reeve/store';
import { errors, type Provider } from 'oidc-provider';
// Made for grants of one's own, and not held to the library's versions: docs/decisions.md.
import {
  buildTokenResponse,
  checkDpopReplay,
  checkDpopRequired,
  validateDpop,
} from 'oidc-provider/lib/helpers/grants.js';
import { isServed } from '../applications/known-application.ts';
import { isDocumentId } from '../client-documents/document-id.ts';
import { mayExchange, policyFor } from '../resource-servers/exchange-policy.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { type AccountParts, findLive, surfaceOf } from './accounts.ts';
import { identityAssertionToken, tokenExchange } from './client-metadata.ts';
import { decideExchange, type PresentedToken, type Refusal } from './exchange.ts';
import {
  assertIssued,
  type ExchangeContext,
  type ExchangeParameters,
  exchangeParameters,
  type Presented,
  readExchange,
  repeatable,
} from './exchange-request.ts';
import { issueExchanged, recordExchange, type Subject } from './exchanged-token.ts';
import { createFindPresented, type FindPresented } from './presented-tokens.ts';
import { requestScope } from './request-scope.ts';
import { unknownResource } from './resource-servers.ts';

type Parts = AccountParts & {
  issuer: string;
  keys: readonly SigningKey[];
  store: Pick<Store, 'recordFact'> & { clock: Clock };
  /** What is asked for is no token for an API, but an identity assertion for an authorization server of others. */
  vouch: (ctx: ExchangeContext) => Promise<void>;
};
type Finding = Parts & { find: FindPresented; clientId: string };

export function registerTokenExchange(provider: Provider, parts: Parts): void {
  const find = createFindPresented(provider, { ...parts, clock: parts.store.clock });

  async function exchange(ctx: ExchangeContext): Promise<void> {
    const { client, params } = ctx.oidc;
    if (params.requested_token_type === identityAssertionToken) return parts.vouch(ctx);
    const asked = readExchange(ctx);
    const proof = await validateDpop(provider, ctx);
    checkDpopRequired(provider, ctx, proof);
    const finding = { ...parts, find, clientId: client.clientId };
    const server = await findTarget(finding, asked.targets);
    const issuedTokenType = assertIssued(asked.requestedType, server);
    const subject = await findSubject(finding, server, asked.subject);
    const actor = asked.actor && (await findActor(finding, subject, asked.actor));
    const decision = decideExchange({
      policy: subject.policy,
      subject: subject.said,
      actor,
      clientId: client.clientId,
      issuer: parts.issuer,
      onlyActor: (await parts.resourceServers.find(subject.said.aud))?.mayAct ?? null,
      scopes: asked.scopes,
      isBound: proof !== undefined,
    });
    const about = { client, subject, server };
    if ('refused' in decision) {
      await recordExchange(parts, about, decision);
      throw errorOf(decision);
    }
    await checkDpopReplay(provider, ctx, proof, client.clientId);
    const { answer, ...issued } = await issueExchanged({ ...parts, provider, jkt: proof?.thumbprint }, about, decision);
    requestScope().writeLater('exchange', () => recordExchange(parts, about, { ...decision, ...issued }));
    ctx.body = buildTokenResponse(provider, { ...answer, issuedTokenType });
  }

  provider.registerGrantType<ExchangeParameters>(tokenExchange, exchange, exchangeParameters, repeatable);
}

/** The API that the new token is for. It says itself who may exchange, and to others it is not there. */
async function findTarget({ resourceServers, clientId }: Finding, targets: string[]): Promise<ResourceServer> {
  const [identifier, another] = targets;
  if (identifier === undefined) throw new errors.InvalidTarget('resource is required: the URL of the API');
  if (another !== undefined) throw new errors.InvalidTarget('a token is for one API');
  const server = await resourceServers.find(identifier);
  if (!server || !mayExchange(server, clientId)) throw unknownResource();
  return server;
}

const notExchanged = (which: 'subject' | 'actor') =>
  new errors.InvalidRequest(`${which}_token counts no more, or is none that this client may exchange for that API`);

/** A person's. A machine asks for a token of its own. */
async function findSubject(finding: Finding, server: ResourceServer, { token, form }: Presented): Promise<Subject> {
  const { find, applications, clientId } = finding;
  const found = await find(token, form);
  const policy = found && policyFor(server, { by: clientId, from: found.said.aud });
  const application = await applications.find(clientId);
  if (!policy || found.said.sid === undefined || !application || !isServed(application, found.said.tid))
    throw notExchanged('subject');
  // What a person has allowed somebody at one API, they have not at the next.
  if (isDocumentId(found.said.client_id)) throw notExchanged('subject');
  const session = await findLive(finding, { tenantId: found.said.tid, sessionId: found.said.sid });
  if (session?.state.userId !== found.said.sub) throw notExchanged('subject');
  const endsAt = await finding.live.overFor(session, surfaceOf({ surface: found.said.surface ?? null }));
  return { ...found, policy, session, sessionEndsAt: new Date(endsAt) };
}

/** Of the same tenant, and come to one of the same APIs. */
async function findActor(
  { find }: Finding,
  { said, policy }: Subject,
  { token, form }: Presented,
): Promise<PresentedToken> {
  const found = await find(token, form);
  if (found?.said.tid !== said.tid || !policy.from.includes(found.said.aud)) throw notExchanged('actor');
  return found.said;
}

function errorOf({ refused, detail, scope = '' }: Refusal): Error {
  return refused === 'scope_refused' ? new errors.InvalidScope(detail, scope) : new errors.InvalidRequest(detail);
}
