// Signs a person in at a bot by a token of their identity provider. Every client of the person may send the same one:
// one exchange is made of it, by whoever is first, and all get its answer, also where the first is lost on the way.
// Whatever goes wrong is an answer as well: the bot has to show its card then.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type BotSignInFailure, type Cause, type Id, ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import type { Logger } from '@reeve/service-kit';
import { type Clock, VersionConflictError } from '@reeve/store';
import { atOf } from '../connections/connection.ts';
import type { ConnectionKind, UpstreamIdentity } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { mapIdentity } from '../connections/mapping.ts';
import type { DelegatedSessions } from '../delegated-sessions/delegated-sessions.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { type AtBot, type AtBots, clientOf, withProvider } from './at-bot.ts';
import {
  type BotUsers,
  type Claim,
  chatKey,
  claim,
  exchangeKey,
  type Failed,
  hasAgreed,
  type Outcome,
  release,
  type Signed,
  settle,
} from './bot-user.ts';
import { openBotSession } from './open-session.ts';
import type { TokenName, UserToken, UserTokens } from './user-tokens.ts';

type Parts = {
  users: BotUsers;
  atBots: AtBots;
  kinds: Kinds;
  delegated: Pick<DelegatedSessions, 'open'>;
  live: LiveSessions;
  tokens: UserTokens;
  clock: Clock;
  log: Logger;
};

type Asked = {
  at: AtBot;
  /** What makes it the same as another one. */
  exchangeId: string;
  token: string;
  /** Who it is in the words of the channel's directory, where the channel says it. */
  directoryId?: string | undefined;
  cause: Cause;
};

export type ExchangeAnswer = { token: UserToken } | Failed;
type Judged = Failed | (Signed & { token: TokenName });

const lookEveryMs = 50;
const longestMs = 15_000;

export type ExchangeToken = ReturnType<typeof createExchangeToken>;

export function createExchangeToken(parts: Parts) {
  const { users, atBots, live, tokens, clock, log } = parts;
  /** Those that this process waits for: many who ask at once look once. */
  const underWay = new Map<string, Promise<ExchangeAnswer>>();

  async function claimed(asked: Asked, by: string): Promise<Claim> {
    const { at, cause } = asked;
    let found: Claim = { is: 'another’s' };
    const decide = (user: Parameters<typeof claim>[0]) => {
      const of = { chat: at.chat, clientId: clientOf(at), now: clock.now() };
      const { claim: is, decision } = claim(user, { ...of, id: exchangeKey(asked.exchangeId), by });
      found = is;
      return decision;
    };
    try {
      await users.in(at.tenantId).change(chatKey(at.chat), decide, { cause });
      return found;
    } catch (error) {
      if (error instanceof VersionConflictError) return { is: 'another’s' };
      throw error;
    }
  }

  async function done(asked: Asked): Promise<Outcome> {
    const by = randomUUID();
    const until = performance.now() + longestMs;
    while (performance.now() < until) {
      const claim = await claimed(asked, by);
      if (claim.is === 'done') return claim.outcome;
      const outcome = claim.is === 'ours' ? await doIt(asked, by) : null;
      if (outcome) return outcome;
      await pause(lookEveryMs);
    }
    return { failed: 'dependency_unavailable' };
  }

  /** Null where another has taken over, who is at it. */
  async function doIt(asked: Asked, by: string): Promise<Outcome | null> {
    const { at } = asked;
    const own = users.in(at.tenantId);
    const provider = await atBots.providerOf(at);
    const cause = withProvider(asked.cause, provider?.id ?? '');
    const named = { id: exchangeKey(asked.exchangeId), by };
    try {
      const judged = await judge(parts, { ...asked, cause }, provider);
      const about = { ...named, now: clock.now(), provider: provider?.id ?? null };
      const settled = await insisting(() =>
        own.change(chatKey(at.chat), user => settle(user, about, judged), { cause }),
      );
      const found = settled?.state.exchanges.find(one => one.id === named.id);
      if (found) {
        if (found.outcome && !('failed' in found.outcome)) return found.outcome;
        if (!found.outcome) return null;
      }
      // Signed out meanwhile, or bound to somebody else: what was begun is not gone on with.
      if ('sessionId' in judged && settled?.state.sessionId !== judged.sessionId)
        await live.end({ tenantId: at.tenantId, sessionId: judged.sessionId }, 'signed_out', cause);
      return found?.outcome ?? { failed: 'signed_out' };
    } catch (error) {
      await own.change(chatKey(at.chat), user => release(user, named), { cause }).catch(() => undefined);
      throw error;
    }
  }

  async function answer(asked: Asked): Promise<ExchangeAnswer> {
    const outcome = await done(asked);
    if ('failed' in outcome) return outcome;
    const { at } = asked;
    const session = await live.find({ tenantId: at.tenantId, sessionId: outcome.sessionId });
    const token = session && (await tokens.make(at, session, outcome.token));
    return token ? { token } : { failed: 'signed_out' };
  }

  return (asked: Asked): Promise<ExchangeAnswer> => {
    const key = `${chatKey(asked.at.chat)} ${exchangeKey(asked.exchangeId)}`;
    const known = underWay.get(key);
    if (known) return known;
    const answering = answer(asked)
      .catch((error: unknown): Failed => {
        log.warn({ error, tenantId: asked.at.tenantId, bot: asked.at.bot.id }, 'a bot’s exchange has failed');
        const isDown = error instanceof ProblemError && error.code === 'dependency_unavailable';
        return { failed: isDown ? 'dependency_unavailable' : 'internal' };
      })
      .finally(() => underWay.delete(key));
    underWay.set(key, answering);
    return answering;
  };
}

/** Of many who write about one user at once some lose more races than the store runs, and not for long. */
async function insisting<T>(write: () => Promise<T>): Promise<T> {
  const until = performance.now() + longestMs;
  for (;;) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof VersionConflictError) || performance.now() > until) throw error;
      await pause(Math.random() * lookEveryMs);
    }
  }
}

/** Throws where something that is needed for it does not answer; else it says what is wrong. */
async function judge(
  { users, kinds, delegated, live, tokens }: Parts,
  { at, token, directoryId, cause }: Asked,
  provider: Awaited<ReturnType<AtBots['providerOf']>>,
): Promise<Judged> {
  const { tokenExchange, consent } = at.connection;
  if (!tokenExchange) return { failed: 'exchange_not_offered' };
  if (!provider) return { failed: 'connection_not_active' };
  const kind: ConnectionKind = kinds[provider.state.kind];
  // Nobody is anybody by an address that stands in a token for an API.
  if (!kind.readBrought || provider.state.identifier?.type === 'email') return { failed: 'exchange_not_offered' };
  const { audience, tokenAudience = audience, clients } = tokenExchange;
  const brought = { token, audience: tokenAudience, parties: [...clients, tokenAudience] };
  const read = await kind
    .readBrought(atOf(at.tenantId, provider, cause), brought)
    .then(said => ({ said, identity: mapIdentity(provider.state, said) }), refusalOf);
  if ('failed' in read) return read;
  if (!isOfDirectory(read.said, directoryId)) return { failed: 'other_person', problem: 'oid' };
  const connectionId = provider.id as Id<'connection'>;
  const { issuer, subject, amr, acr, authenticatedAt } = read.identity;
  const user = (await users.in(at.tenantId).get(chatKey(at.chat)))?.state;
  const bond = user?.bond?.connectionId === connectionId ? user.bond : null;
  // Before anything begins for them; where only the page has said who it was, the session says it.
  if (bond && bond.subject !== null && bond.subject !== subject) return { failed: 'other_person' };
  if (consent === 'person' && !(user && hasAgreed(user, { ...at.connection, connectionId })))
    return { failed: 'consent_required' };
  if (!(await tokens.grantedTo(at))) return { failed: 'resource_refused' };
  // The auth_key names another identity provider than when the chat was signed in.
  if (user?.sessionId && !bond)
    await live.end({ tenantId: at.tenantId, sessionId: user.sessionId }, 'signed_out', cause);
  const vouched = {
    connectionId,
    issuer,
    subject,
    providerSubject: read.said.subject ?? undefined,
    amr,
    acr,
    authenticatedAt: authenticatedAt ? new Date(authenticatedAt) : null,
  };
  const opened = await openBotSession(delegated, at, { ...vouched, cause });
  if ('failed' in opened) return opened;
  const { userId } = opened.state;
  return { sessionId: opened.id, bond: { connectionId, userId, subject }, token: tokens.newName() };
}

function refusalOf(error: unknown): Failed {
  if (!(error instanceof StepError)) throw error;
  const { problem = null } = error.seen;
  return { failed: error.step satisfies BotSignInFailure, problem: problem === null ? null : String(problem) };
}

/** A channel that knows people by Entra's directory says who it is there; a token of it has to be of the same. */
function isOfDirectory({ claims }: UpstreamIdentity, directoryId: string | undefined): boolean {
  if (directoryId === undefined || !('oid' in claims || 'tid' in claims)) return true;
  const { oid } = claims;
  return typeof oid === 'string' && oid.toLowerCase() === directoryId.toLowerCase();
}
