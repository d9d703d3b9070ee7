// The tokens of a bot's users: made when they are asked for, in the session that the person is in at the bot, for the
// API of the connection, and not kept. Whatever ends the session, the application or what it may ask for leaves nothing
// to be asked for.
import { newEventId } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import { SignJWT } from 'jose';
import { saidToApi } from '../openid-provider/account-claims.ts';
import { type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import type { SigningKeys } from '../signing-keys/signing-keys.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import { type AtBot, type AtBots, clientOf } from './at-bot.ts';
import { type BotUser, type BotUsers, chatKey, hasAgreed } from './bot-user.ts';
import { botSurface } from './sign-in-application.ts';

type Parts = {
  users: BotUsers;
  atBots: AtBots;
  live: LiveSessions;
  resourceServers: ResourceServerDirectory;
  keys: Pick<SigningKeys, 'signing'>;
  statusLists: Pick<StatusLists, 'claimOf'>;
  issuer: string;
  clock: Clock;
};

/** As the token services of Microsoft answer it. */
export type UserToken = { channelId: string; connectionName: string; token: string; expiration: string };

/** The same one comes out for the same of both. */
export type TokenName = { id: string; at: number };

const longestSeconds = 300;
const uses = { ES256: 'accessToken', RS256: 'idToken' } as const;

export type UserTokens = ReturnType<typeof createUserTokens>;

export function createUserTokens(parts: Parts) {
  const { users, atBots, live, resourceServers, keys, statusLists, issuer, clock } = parts;

  /** What the bot may ask for there now; null for nothing. */
  async function grantedTo({ bot, connection }: AtBot): Promise<{ server: ResourceServer; scope: string } | null> {
    const server = await resourceServers.find(connection.resource);
    const allowed = server && scopesFor(server, bot.application);
    if (!server || !allowed || server.format !== 'jwt') return null;
    const scopes = connection.scopes.filter(scope => allowed.includes(scope));
    return scopes.length > 0 ? { server, scope: scopes.join(' ') } : null;
  }

  const newName = (): TokenName => ({ id: newEventId(), at: Math.floor(clock.now().getTime() / 1_000) });

  async function make(at: AtBot, session: LiveSession, { id, at: iat }: TokenName): Promise<UserToken | null> {
    const granted = await grantedTo(at);
    const overAt = Math.floor(Date.parse(await live.overFor(session, botSurface)) / 1_000);
    if (!granted) return null;
    const { server, scope } = granted;
    const exp = Math.min(iat + Math.min(server.tokenSeconds, longestSeconds), overAt);
    if (exp * 1_000 <= clock.now().getTime()) return null;
    const key = keys.signing(uses[server.algorithm]);
    const { tokensFrom } = at.bot.application;
    const claims = {
      ...saidToApi(server, session),
      client_id: clientOf(at),
      scope,
      surface: botSurface,
      ...(tokensFrom === null ? {} : { client_tokens_from: tokensFrom }),
      ...(server.mayAct ? { may_act: { sub: server.mayAct } } : {}),
      ...(server.statusList ? statusLists.claimOf(session.state.statusList) : {}),
    };
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })
      .setIssuer(issuer)
      .setSubject(session.state.userId)
      .setAudience(server.identifier)
      .setIssuedAt(iat)
      .setExpirationTime(exp)
      .setJti(id)
      .sign(key);
    const { channelId, connectionName } = at.chat;
    return { channelId, connectionName, token, expiration: new Date(exp * 1_000).toISOString() };
  }

  /** The session that the person is in at the bot. Null where there is none, or it began by another provider. */
  async function sessionIn(at: AtBot, user: BotUser | null): Promise<LiveSession | null> {
    if (!user || user.sessionId === null || user.clientId !== clientOf(at)) return null;
    const [session, provider] = await Promise.all([
      live.find({ tenantId: at.tenantId, sessionId: user.sessionId }),
      atBots.providerOf(at),
    ]);
    const connectionId = session?.state.connectionId;
    if (connectionId === undefined || connectionId !== provider?.id) return null;
    // What it is for may be more by now than the person was asked.
    const { consent } = at.connection;
    return consent === 'person' && !hasAgreed(user, { ...at.connection, connectionId }) ? null : session;
  }

  return {
    grantedTo,
    newName,
    make,
    sessionIn,

    find: async (at: AtBot): Promise<LiveSession | null> =>
      sessionIn(at, (await users.in(at.tenantId).get(chatKey(at.chat)))?.state ?? null),

    /** Null where the person is not signed in at the bot. */
    async current(at: AtBot): Promise<UserToken | null> {
      const user = await users.in(at.tenantId).get(chatKey(at.chat));
      const session = await sessionIn(at, user?.state ?? null);
      if (!session) return null;
      await live.use(session, clientOf(at));
      return make(at, session, newName());
    },
  };
}
