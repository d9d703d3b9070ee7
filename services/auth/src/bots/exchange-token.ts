// Signs a person in at a bot by a token of their identity provider. Every client of the person may send the same one, to
// whichever instance: one answer is made of it, that of whoever writes it first, and all get that. Until it is written
// nothing has come of it but the session, which is the same whoever begins it; so where an instance is lost on the way,
// the next one that is asked begins anew. Whatever goes wrong is an answer as well: the bot has to show its card then.
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
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import { type AtBot, type AtBots, clientOf, withProvider } from './at-bot.ts';
import {
  answered,
  type BotUser,
  type BotUsers,
  chatKey,
  exchangeKey,
  type Failed,
  hasAgreed,
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
type Judged = Failed | (Signed & { session: LiveSession; token: TokenName });

const longestMs = 15_000;
const pauseMs = 50;

export type ExchangeToken = ReturnType<typeof createExchangeToken>;

export function createExchangeToken(parts: Parts) {
  const { users, atBots, live, tokens, clock, log } = parts;
  /** Those that this process is at: many who ask at once are answered by one. */
  const underWay = new Map<string, Promise<ExchangeAnswer>>();

  async function answer(asked: Asked): Promise<ExchangeAnswer> {
    const { at } = asked;
    const of = { chat: at.chat, clientId: clientOf(at), id: exchangeKey(asked.exchangeId) };
    const provider = await atBots.providerOf(at);
    const cause = withProvider(asked.cause, provider?.id ?? '');
    let signOuts: number | undefined;
    let judged: Judged | undefined;
    const change = () =>
      users
        .in(at.tenantId)
        .change(
          chatKey(at.chat),
          user =>
            judged && signOuts !== undefined
              ? settle(user, { ...of, now: clock.now(), provider: provider?.id ?? null, signOuts }, judged)
              : null,
          {
            cause,
            // Of the state that it is written over: who the chat belongs to decides it as well.
            async gather(user) {
              signOuts ??= signOutsOf(user);
              const isOver = answered(user, of.id, clock.now()) !== null || signOutsOf(user) !== signOuts;
              if (!isOver) judged = await judge(parts, { ...asked, cause, user }, provider);
            },
          },
        );
    const entry = await insisting(change);
    const outcome = answered(entry?.state ?? null, of.id, clock.now()) ?? ({ failed: 'signed_out' } as const);
    const begun = judged && 'session' in judged ? judged.session : null;
    // Signed out meanwhile, or bound to somebody else: what was begun is not gone on with.
    if (begun && entry?.state.sessionId !== begun.id)
      await live.end({ tenantId: at.tenantId, sessionId: begun.id }, 'signed_out', cause);
    if ('failed' in outcome) return outcome;
    const { sessionId } = outcome;
    const session = begun?.id === sessionId ? begun : await live.find({ tenantId: at.tenantId, sessionId });
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
  return {
    sessionId: opened.id,
    session: opened,
    bond: { connectionId, userId, subject },
    token: tokens.newName(),
  };
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
