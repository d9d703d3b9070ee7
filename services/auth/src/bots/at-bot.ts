// Which bot asks, and about whom: the bot that exists now with the application that the token was issued to, in the
// tenant that the token says; one of its connections; and the identity provider that this names.
import { type Cause, ProblemError, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { isServed, type KnownApplication } from '../applications/known-application.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { Bot, BotConnection, BotId, Bots } from './bot.ts';
import type { Chat } from './bot-user.ts';

export type AtBotParts = {
  bots: Bots;
  applications: Pick<ApplicationDirectory, 'find' | 'findNow'>;
  authKeys: AuthKeyDirectory;
  connections: ConnectionDirectory;
};

export type CallingBot = { tenantId: TenantId; id: BotId; state: Bot; application: KnownApplication };
type Who = { connectionName: string; channelId: string; userId: string };
export type AtBot = { tenantId: TenantId; bot: CallingBot; connection: BotConnection; chat: Chat };

export function createAtBot({ bots, applications, authKeys, connections }: AtBotParts) {
  return {
    /** Throws `token_invalid` for the token of an application that is no bot of the tenant, or none any more. */
    async calling(tenantId: TenantId, caller: Pick<Caller, 'clientId'>): Promise<CallingBot> {
      const [entry, application] = await Promise.all([
        bots.in(tenantId).getByUnique('client', caller.clientId),
        applications.find(caller.clientId),
      ]);
      if (!entry || !application || !isServed(application, tenantId))
        throw new ProblemError('token_invalid', 'the tenant has no bot with that application');
      return { tenantId, id: entry.id as BotId, state: entry.state, application };
    },

    /** As it is now, at whichever instance it was deleted. */
    async isThere({ tenantId, bot }: AtBot): Promise<boolean> {
      const [entry, application] = await Promise.all([
        bots.in(tenantId).get(bot.id),
        applications.findNow(bot.application.id),
      ]);
      return entry?.state.clientId === bot.state.clientId && application !== null;
    },

    /** Null where the bot has no such connection. */
    at(bot: CallingBot, { connectionName, channelId, userId }: Who): AtBot | null {
      const connection = bot.state.connections.find(({ name }) => name === connectionName);
      if (!connection) return null;
      const chat = { botId: bot.id, connectionName, channelId, channelUserId: userId };
      return { tenantId: bot.tenantId, bot, connection, chat };
    },

    /** That of the tenant which the auth_key names now; null where it is gone or not in use. */
    async providerOf({ tenantId, connection }: AtBot): Promise<Entry<Connection> | null> {
      const id = (await authKeys.of(tenantId)).get(connection.authKey);
      return id === undefined ? null : connections.findActive(tenantId, id);
    },
  };
}

export type AtBots = ReturnType<typeof createAtBot>;

/** Of a bot found by its id, for whoever comes by a link that names it. */
export const callingBot = (
  tenantId: TenantId,
  { id, state }: Entry<Bot>,
  application: KnownApplication,
): CallingBot => ({ tenantId, id: id as BotId, state, application });

export const clientOf = ({ bot }: AtBot): Bot['clientId'] => bot.state.clientId;

/** It is the person who is meant, whatever the bot's application does on the way. */
export const withProvider = (cause: Cause, connectionId: string): Cause => ({
  ...cause,
  context: { ...cause.context, connectionId },
});
