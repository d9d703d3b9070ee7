// The user-token service, as the SDKs of Microsoft's bots call it (standards-2026.md 13.3). Express takes paths without
// regard to case, which these need. An exchange that fails is answered by 200 without a token: that alone all of the
// SDKs turn into the 412 which brings the card; an error makes some of them fall silent.
import { type Cause, invalidField, ProblemError, type TenantId } from '@reeve/contracts';
import { type Caller, ownTenantRoute, type Route } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import type { Connection } from '../connections/connection.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { codeIn, codeText, nameText, readState, stateText, type UserQuery, userQuery } from './asked-of-bot.ts';
import type { AtBot, AtBots, CallingBot } from './at-bot.ts';
import type { BotUsers } from './bot-user.ts';
import type { ExchangeAnswer, ExchangeToken } from './exchange-token.ts';
import type { RedeemCode } from './redeem-code.ts';
import type { SignInLinks } from './sign-in-links.ts';
import { signInResource, signInResourceFor } from './sign-in-resource.ts';
import { signOutAt } from './sign-out.ts';
import type { UserToken, UserTokens } from './user-tokens.ts';

export type UserTokenParts = {
  users: BotUsers;
  atBots: AtBots;
  tokens: UserTokens;
  links: SignInLinks;
  redeemCode: RedeemCode;
  exchangeToken: ExchangeToken;
  live: LiveSessions;
  clock: Clock;
};

const action = 'bots:act';
const tokenView = z.object({
  channelId: z.string(),
  connectionName: z.string(),
  token: z.string(),
  expiration: z.string(),
});
/** With a code a token is got: no page of a browser is led there, since it brings none of a bot. */
const withCode = userQuery.extend({ code: codeText });
const failed = z.object({ channelId: z.string(), connectionName: z.string(), failureDetail: z.string() });

type Of = { tenantId: TenantId; caller: Caller };

export function userTokenRoutes(parts: UserTokenParts): Route[] {
  const { atBots, tokens, links, redeemCode, exchangeToken } = parts;

  /** Null for a connection that the bot has not. */
  const atOf = async ({ tenantId, caller }: Of, query: UserQuery): Promise<AtBot | null> =>
    atBots.at(await atBots.calling(tenantId, caller), query);

  /** Null where nobody is signed in. */
  async function tokenAt(at: AtBot, code: string | undefined, cause: Cause): Promise<UserToken | null> {
    const digits = codeIn(code);
    if (digits !== null && !(await redeemCode.redeem(at, digits, cause))) return null;
    return tokens.current(at);
  }

  /** Where a state says it, and the query does not. Throws `input_invalid` where both do, and differ. */
  function atBy(bot: CallingBot, state: string, given: Partial<UserQuery> = {}): AtBot {
    const said = readState(state, bot.state);
    const one = (name: 'connectionName' | 'channelId' | 'userId') => {
      const [inState, inQuery] = [said[name], given[name]];
      if (inState && inQuery && inState !== inQuery) throw invalidField(`query.${name}`, 'differs from the state');
      const found = inQuery ?? inState;
      if (!found) throw invalidField('query.state', `says no ${name}`);
      return found;
    };
    const at = atBots.at(bot, {
      connectionName: one('connectionName'),
      channelId: one('channelId'),
      userId: one('userId'),
    });
    if (!at) throw new ProblemError('not_found', 'the bot has no connection of that name');
    return at;
  }

  const signInUrl = (path: '/api/botsignin/GetSignInUrl' | '/api/agentsignin/getSignInUrl') =>
    ownTenantRoute({
      method: 'get',
      path,
      summary: 'The link to the page on which a user of a bot signs in, as text',
      action,
      query: z.looseObject({ state: stateText }),
      produces: ['text/plain'],
      async handle({ tenantId, caller, query: { state }, cause }) {
        const at = atBy(await atBots.calling(tenantId, caller), state);
        const link = await links.linkFor(at, cause);
        return { stream: response => void response.type('text/plain').send(link) };
      },
    });

  return [
    ownTenantRoute({
      method: 'get',
      path: '/api/usertoken/GetToken',
      summary: 'A token of a user of a bot; with `code`, of who has just signed in on the page',
      action,
      query: withCode,
      response: tokenView.optional(),
      async handle({ tenantId, caller, query, cause }) {
        const at = await atOf({ tenantId, caller }, query);
        const token = at && (await tokenAt(at, query.code, cause));
        // Without a body: botbuilder takes whatever object there is for a token, and shows no card.
        return token ? { body: token } : { body: undefined, status: 404 };
      },
    }),

    ownTenantRoute({
      method: 'get',
      path: '/api/usertoken/GetTokenOrSignInResource',
      summary: 'A token of a user of a bot, or what the card says by which they sign in',
      action,
      query: withCode.extend({ state: stateText }),
      response: z.object({ tokenResponse: tokenView.optional(), signInResource: signInResource.optional() }),
      async handle({ tenantId, caller, query, cause }) {
        const at = atBy(await atBots.calling(tenantId, caller), query.state, query);
        const tokenResponse = await tokenAt(at, query.code, cause);
        return {
          body: tokenResponse ? { tokenResponse } : { signInResource: await signInResourceFor(links, at, cause) },
        };
      },
    }),

    ownTenantRoute({
      method: 'get',
      path: '/api/botsignin/GetSignInResource',
      summary: 'What the card says by which a user of a bot signs in',
      action,
      query: z.looseObject({ state: stateText }),
      response: signInResource,
      async handle({ tenantId, caller, query: { state }, cause }) {
        const at = atBy(await atBots.calling(tenantId, caller), state);
        return { body: await signInResourceFor(links, at, cause) };
      },
    }),

    signInUrl('/api/botsignin/GetSignInUrl'),
    signInUrl('/api/agentsignin/getSignInUrl'),

    ownTenantRoute({
      method: 'post',
      path: '/api/usertoken/exchange',
      summary: 'Sign a user of a bot in by a token of their identity provider; without a token in the answer it failed',
      action,
      query: userQuery,
      // What is too long is no token, and fails as one.
      body: z.looseObject({ token: z.string().nullish(), uri: z.string().nullish() }),
      response: z.union([tokenView, failed]),
      async handle({ tenantId, caller, query, body: { token, uri }, cause }) {
        const { channelId, connectionName } = query;
        const bot = await atBots.calling(tenantId, caller);
        const at = atBots.at(bot, query);
        const answer: ExchangeAnswer = !at
          ? { failed: 'exchange_not_offered' }
          : token
            ? await exchangeToken({ at, exchangeId: token, token, cause })
            : await byUri(at, uri ?? null);
        if ('token' in answer) return { body: answer.token };
        return { body: { channelId, connectionName, failureDetail: answer.failed } };
      },
    }),

    ownTenantRoute({
      method: 'get',
      path: '/api/usertoken/GetTokenStatus',
      summary: 'At which connections of a bot a user is signed in',
      action,
      query: z.looseObject({ userId: nameText, channelId: nameText, include: z.string().max(3_000).optional() }),
      response: z.array(
        z.object({
          channelId: z.string(),
          connectionName: z.string(),
          hasToken: z.boolean(),
          serviceProviderDisplayName: z.string(),
        }),
      ),
      async handle({ tenantId, caller, query: { userId, channelId, include = '' } }) {
        const bot = await atBots.calling(tenantId, caller);
        const wanted = include === 'null' ? [] : include.split(',').filter(Boolean);
        const names = bot.state.connections.map(({ name }) => name).filter(name => !wanted[0] || wanted.includes(name));
        const all = names.flatMap(connectionName => atBots.at(bot, { connectionName, channelId, userId }) ?? []);
        return { body: await Promise.all(all.map(statusOf)) };
      },
    }),

    ownTenantRoute({
      method: 'post',
      path: '/api/usertoken/GetAadTokens',
      summary: 'Tokens of a user of a bot by the APIs that they are for, as far as the connection is for them',
      action,
      query: userQuery,
      body: z.looseObject({ resourceUrls: z.array(z.string().max(500)).max(50).default([]) }),
      response: z.record(z.string(), tokenView),
      async handle({ tenantId, caller, query, body: { resourceUrls } }) {
        const at = await atOf({ tenantId, caller }, query);
        const url = resourceUrls.find(one => one === at?.connection.resource);
        const token = at && url !== undefined ? await tokens.current(at) : null;
        return { body: url !== undefined && token ? { [url]: token } : {} };
      },
    }),

    ownTenantRoute({
      method: 'delete',
      path: '/api/usertoken/SignOut',
      summary: 'Sign a user of a bot out, at one of its connections or all',
      action,
      query: userQuery.extend({ connectionName: z.string().max(500).optional() }),
      async handle({ tenantId, caller, query: { connectionName, channelId, userId }, cause }) {
        const bot = await atBots.calling(tenantId, caller);
        const names = connectionName ? [connectionName] : bot.state.connections.map(({ name }) => name);
        for (const name of names) {
          const at = atBots.at(bot, { connectionName: name, channelId, userId });
          if (at) await signOutAt(parts, at, cause);
        }
        return { body: undefined, status: 200 };
      },
    }),
  ];

  /** For a client that asks again by what its card said: whoever is signed in has a token. */
  async function byUri(at: AtBot, uri: string | null): Promise<ExchangeAnswer> {
    const token = uri !== null && uri === at.connection.tokenExchange?.audience ? await tokens.current(at) : null;
    return token ? { token } : { failed: 'exchange_not_offered' };
  }

  async function statusOf(at: AtBot) {
    const [session, provider] = await Promise.all([tokens.find(at), atBots.providerOf(at)]);
    const { channelId, connectionName } = at.chat;
    return { channelId, connectionName, hasToken: session !== null, serviceProviderDisplayName: nameOf(provider) };
  }
}

const nameOf = (provider: Entry<Connection> | null): string => provider?.state.name ?? '';
