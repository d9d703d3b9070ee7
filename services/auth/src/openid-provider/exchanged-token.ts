// The token that an exchange makes, and what is told of it. It belongs to the session of the subject token, and to a
// grant of its own: the other one is of another application. What an API asks us about ends with that one as well.
import { event } from '@reeve/contracts';
import type { Clock, Store } from '@reeve/store';
import type { Client, Provider } from 'oidc-provider';
import type { ExchangePolicy } from '../resource-servers/exchange-policy.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import { actorsOf, type Exchange, type Refusal } from './exchange.ts';
import { sayInExchange } from './exchanged-claims.ts';
import type { GrantStore } from './grants.ts';
import { clientCause, issueToken } from './issue-token.ts';
import type { FoundToken } from './presented-tokens.ts';

/** The token that is exchanged, in which session, how long that goes on, and what may be done with it. */
export type Subject = FoundToken & { session: LiveSession; sessionEndsAt: Date; policy: ExchangePolicy };

type Parts = { grants: GrantStore; store: Pick<Store, 'recordFact'> & { clock: Clock } };
type About = { client: Client; subject: Subject; server: ResourceServer };

const inSeconds = (date: Date) => Math.floor(date.getTime() / 1_000);

/** The least of all that limits it, in seconds since 1970. */
function lastsUntil({ subject, server }: About, expiresBy: number, now: number): number {
  const seconds = Math.min(server.tokenSeconds, subject.policy.maxLifetimeSeconds);
  return Math.min(expiresBy, inSeconds(subject.sessionEndsAt), now + seconds);
}

export async function issueExchanged(
  { provider, jkt, ...parts }: Parts & { provider: Provider; jkt: string | undefined },
  about: About,
  { act, mayAct, expiresBy, scopes }: Exchange,
) {
  const { client, server, subject } = about;
  const now = inSeconds(parts.store.clock.now());
  const exp = lastsUntil(about, expiresBy, now);
  const { tid, sid, sub, amr, acr, auth_time, surface, grant_id } = subject.said;
  sayInExchange({ tid, sid, amr, acr, auth_time, surface, grant_id, act, may_act: mayAct });
  const { tenantId, id: sessionId } = subject.session;
  const grantId = parts.grants.nameGrant({ tenantId, sessionId });
  const { client_id: clientId, client_tokens_from: tokensFrom = null } = subject.said;
  return issueToken(provider, {
    client,
    accountId: sub,
    grantId,
    gty: 'token_exchange',
    server,
    scopes,
    now,
    exp,
    jkt,
    keepOrigin: () => parts.grants.saveOrigin(grantId, { clientId, tokensFrom, grantId: subject.grantId }),
  });
}

type Issued = Exchange & { tokenId: string | null; expiresAt: string };

const toldOf = ({ scopes, act, tokenId, expiresAt }: Issued) => ({ scopes, actors: actorsOf(act), tokenId, expiresAt });
const nothing = { scopes: [], actors: [], tokenId: null, expiresAt: null };

/** Told of each exchange, and of each that was refused to whoever could have had another. */
export async function recordExchange(
  { store }: Parts,
  { client: { clientId }, subject: { said, session }, server }: About,
  outcome: Issued | Refusal,
): Promise<void> {
  const { userId, connectionId } = session.state;
  const { told, ...settled } =
    'refused' in outcome
      ? { told: nothing, because: outcome.refused, outcome: 'denied' as const }
      : { told: toldOf(outcome), because: 'requested' as const, outcome: 'success' as const };
  const about = { userId, clientId: said.client_id, from: said.aud, to: server.identifier };
  const exchanged = event('token.exchanged', { id: session.id, ...settled, details: { ...about, ...told } });
  const cause = clientCause(clientId, { sessionId: session.id, connectionId });
  await store.recordFact(session.tenantId, exchanged, cause);
}
