// Signs a person in at a bot by a token of their identity provider. Every client of the person may send the same one,
// to whichever instance: one answer is made of it, that of whoever writes it first, and all get that. Until it is
// written nothing has come of it but the session, which is the same whoever begins it; so where an instance is lost on
// the way, the next one that is asked begins anew. Whatever goes wrong is an answer as well: the bot has to show its
// card then.
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
import type { SessionId } from '../sessions/session.ts';
import { type AtBot, type AtBots, clientOf, withProvider } from './at-bot.ts';
import {
  answered,
  type BotUser,
  type BotUsers,
  chatKey,
  type Exchanged,
  exchangeKey,
  type Failed,
  forget,
  hasAgreed,
  isPassing,
  type Signed,
  settle,
  signOutsOf,
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

const longestMs = 15_000;
const pauseMs = 50;

export type ExchangeToken = ReturnType<typeof createExchangeToken>;

export function createExchangeToken(parts: Parts) {
  const { users, atBots, live, tokens, clock, log } = parts;
  /** Those that this process is at: many who ask at once are answered by one. */
  const underWay = new Map<string, Promise<ExchangeAnswer>>();

  /** Signed out meanwhile, or bound to somebody else: what was begun is not gone on with. */
  async function endUnused({ at, cause }: Asked, begun: ReadonlySet<SessionId>, used: SessionId | null) {
    for (const sessionId of begun)
      if (sessionId !== used) await live.end({ tenantId: at.tenantId, sessionId }, 'signed_out', cause);
  }

  /** Nothing is kept at a bot that went while it exchanged, and whose deletion nobody will come back to. */
  async function forgetAt({ at, cause }: Asked, sessionId: SessionId): Promise<void> {
    await live.end({ tenantId: at.tenantId, sessionId }, 'terminated', cause);
    await users.in(at.tenantId).change(chatKey(at.chat), user => user && forget(user, clock.now()), { cause });
  }

  /** Null where the person is not signed in at the bot by it, or no more. */
  async function tokenBy(
    asked: Asked,
    user: BotUser | null,
    { sessionId, token: name, isNew }: Exchanged & { isNew: boolean },
  ): Promise<UserToken | null> {
    const { at } = asked;
    if (isNew && !(await atBots.isThere(at))) {
      await forgetAt(asked, sessionId);
      return null;
    }
    // As it is after the write: whatever has ended it since, or has changed what the bot is for, counts.
    const session = await tokens.sessionIn(at, user);
    if (session?.id !== sessionId) return null;
    return (await tokens.make(at, session, name)) ?? tokens.make(at, session, tokens.newName());
  }

  async function answer(given: Asked): Promise<ExchangeAnswer> {
    const { at } = given;
    const provider = await atBots.providerOf(at);
    const asked = { ...given, cause: withProvider(given.cause, provider?.id ?? '') };
    const [own, key] = [users.in(at.tenantId), chatKey(at.chat)];
    const id = exchangeKey(asked.exchangeId);
    const of = { id, chat: at.chat, clientId: clientOf(at), provider: provider?.id ?? null };
    const begun = new Set<SessionId>();
    let before: { signOuts: number; sessionId: SessionId | null } | undefined;
    let judged: Judged | undefined;
    const change = () =>
      own.change(
        key,
        user => {
          if (!judged || !before) return null;
          return settle(user, { ...of, now: clock.now(), signOuts: before.signOuts }, judged);
        },
        {
          cause: asked.cause,
          // Of the state that it is written over: who the chat belongs to decides it as well.
          async gather(user) {
            before ??= { signOuts: signOutsOf(user), sessionId: user?.sessionId ?? null };
            const isOver = answered(user, id, clock.now()) !== null || signOutsOf(user) !== before.signOuts;
            if (!isOver) judged = await judge(parts, { ...asked, user }, provider);
            if (judged && 'sessionId' in judged) begun.add(judged.sessionId);
          },
        },
      );
    try {
      const user = (await insisting(change))?.state ?? null;
      await endUnused(asked, begun, user?.sessionId ?? null);
      const outcome = answered(user, id, clock.now());
      if (!outcome) return judged && 'failed' in judged && isPassing(judged) ? judged : { failed: 'signed_out' };
      if ('failed' in outcome) return outcome;
      const isNew = before?.sessionId !== outcome.sessionId;
      const token = await tokenBy(asked, user, { ...outcome, isNew });
      return token ? { token } : { failed: 'signed_out' };
    } catch (error) {
      const user = await own.get(key).catch(() => undefined);
      if (user !== undefined) await endUnused(asked, begun, user?.state.sessionId ?? null).catch(() => undefined);
      throw error;
    }
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
      await pause(Math.random() * pauseMs);
    }
  }
}

/** Throws where something that is needed for it does not answer; else it says what is wrong. */
async function judge(
  { kinds, delegated, live, tokens }: Parts,
  { at, token, directoryId, cause, user }: Asked & { user: BotUser | null },
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
  const bond = user?.bond?.connectionId === connectionId ? user.bond : null;
  // Before anything begins for them; where only the page has said who it was, the session says it.
  if (bond && bond.subject !== null && bond.subject !== subject) return { failed: 'other_person' };
  if (consent === 'person' && !(user && hasAgreed(user, { ...at.connection, connectionId })))
    return { failed: 'consent_required' };
  if (!(await tokens.grantedTo(at))) return { failed: 'resource_refused' };
  // The auth_key names another identity provider than when the chat was signed in, or the bot has another application.
  if (user?.sessionId && (!bond || user.clientId !== clientOf(at)))
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
