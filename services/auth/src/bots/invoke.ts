// For bots without an SDK: the invoke activities of a sign-in, as a channel sends them, answered as the bot is to answer
// the channel (seed of Web Chat's single sign-on; standards.md 9): status and body of the answer are those of the
// invoke response. The bot vouches for whom the channel calls the user.
import { invalidField, ProblemError } from '@reeve/contracts';
import { ownTenantRoute, type Reply, type Route } from '@reeve/service-kit';
import { z } from 'zod';
import { codeIn, nameText, userQuery } from './asked-of-bot.ts';
import { type CallingBot, clientOf } from './at-bot.ts';
import { isAllowedServiceUrl } from './bot.ts';
import { chatKey, report } from './bot-user.ts';
import { signInResource, signInResourceFor } from './sign-in-resource.ts';
import type { UserTokenParts } from './user-token-routes.ts';

const activity = z.looseObject({
  type: z.string().refine(type => type.toLowerCase() === 'invoke', 'must be invoke'),
  name: z.string().min(1).max(200),
  channelId: nameText,
  from: z.looseObject({ id: nameText, aadObjectId: z.string().max(200).nullish() }),
  conversation: z.looseObject({ id: nameText }),
  serviceUrl: z.string().max(2_000).nullish(),
  value: z.unknown().optional(),
});
type Activity = z.infer<typeof activity>;

const exchangeValue = z.looseObject({ id: nameText, connectionName: nameText, token: z.string().min(1).max(20_000) });
const verifyValue = z.looseObject({ state: z.string().max(200), connectionName: nameText.optional() });
const failureValue = z.looseObject({ code: z.string().max(200).optional(), connectionName: nameText.optional() });

const response = z.object({
  id: z.string().optional(),
  connectionName: z.string().optional(),
  failureDetail: z.string().nullable(),
});
type Answer = Reply<z.infer<typeof response> | undefined>;

/** Word for word what Microsoft's own bots say. */
const failures = {
  malformed:
    'The bot received an InvokeActivity that is missing a TokenExchangeInvokeRequest value. This is required to be sent with the InvokeActivity.',
  mismatch:
    'The bot received an InvokeActivity with a TokenExchangeInvokeRequest containing a ConnectionName that does not match the ConnectionName expected by the bot.',
  exchange: 'The bot is unable to exchange token. Proceed with regular login.',
};

export function invokeRoutes(parts: UserTokenParts): Route[] {
  const { users, atBots, tokens, links, redeemCode, exchangeToken, clock } = parts;
  type Asked = { bot: CallingBot; invoked: Activity; cause: Parameters<typeof exchangeToken>[0]['cause'] };

  const atOf = ({ bot, invoked }: Asked, connectionName: string) =>
    atBots.at(bot, { connectionName, channelId: invoked.channelId, userId: invoked.from.id });

  async function exchange(asked: Asked): Promise<Answer> {
    const value = exchangeValue.safeParse(asked.invoked.value);
    if (!value.success) return { status: 400, body: { failureDetail: failures.malformed } };
    const { id, connectionName, token } = value.data;
    const at = atOf(asked, connectionName);
    if (!at) return { status: 400, body: { id, connectionName, failureDetail: failures.mismatch } };
    const directoryId = asked.invoked.from.aadObjectId ?? undefined;
    // Each of a person’s clients may bring a token of its own for the same card.
    const exchangeId = JSON.stringify([asked.invoked.conversation.id, id]);
    const answer = await exchangeToken({ at, exchangeId, token, directoryId, cause: asked.cause });
    if ('token' in answer) return { status: 200, body: { id, connectionName, failureDetail: null } };
    const failureDetail = `${failures.exchange} (${answer.failed})`;
    return { status: 412, body: { id, connectionName, failureDetail } };
  }

  /** The digits say whose way to the page they end, not at which connection that was. */
  async function verify(asked: Asked): Promise<Answer> {
    const value = verifyValue.safeParse(asked.invoked.value);
    const code = value.success ? codeIn(value.data.state) : null;
    if (!value.success || code === null) return { status: 404, body: undefined };
    const { connectionName } = value.data;
    const names = connectionName ? [connectionName] : asked.bot.state.connections.map(({ name }) => name);
    for (const name of names) {
      const at = atOf(asked, name);
      if (at && (await redeemCode.redeem(at, code, asked.cause)) && (await tokens.current(at)))
        return { status: 200, body: undefined };
    }
    return { status: 404, body: undefined };
  }

  /** A client says that it could not sign its person in: what it says of that is a stranger's text. */
  async function note(asked: Asked): Promise<Answer> {
    const value = failureValue.safeParse(asked.invoked.value ?? {});
    const { code, connectionName = asked.bot.state.connections[0]?.name ?? '' } = value.success ? value.data : {};
    const at = atOf(asked, connectionName);
    if (!at) return { status: 200, body: undefined };
    const problem = code?.replaceAll(/[^\w.-]/g, '').slice(0, 60) || null;
    const of = { chat: at.chat, clientId: clientOf(at), now: clock.now(), problem };
    await users.in(at.tenantId).change(chatKey(at.chat), user => report(user, of), { cause: asked.cause });
    return { status: 200, body: undefined };
  }

  return [
    ownTenantRoute({
      method: 'get',
      path: '/bot/sign-in-resource',
      summary: 'What the card of a bot says: the link to the page, and what a token can be exchanged for',
      action: 'bots:act',
      query: userQuery,
      response: signInResource,
      async handle({ tenantId, caller, query, cause }) {
        const at = atBots.at(await atBots.calling(tenantId, caller), query);
        if (!at) throw new ProblemError('not_found', 'the bot has no connection of that name');
        return { body: await signInResourceFor(links, at, cause) };
      },
    }),

    ownTenantRoute({
      method: 'post',
      path: '/bot/invoke',
      summary: 'Answer an invoke activity of a sign-in: status and body are those of the invoke response',
      action: 'bots:act',
      body: activity,
      response: response.optional(),
      async handle({ tenantId, caller, body: invoked, cause }): Promise<Answer> {
        const bot = await atBots.calling(tenantId, caller);
        if (!isAllowedServiceUrl(bot.state, invoked.serviceUrl ?? undefined))
          throw invalidField('serviceUrl', 'is of a channel that the bot is not at');
        const asked = { bot, invoked, cause };
        switch (invoked.name) {
          case 'signin/tokenExchange':
            return exchange(asked);
          case 'signin/verifyState':
            return verify(asked);
          case 'signin/failure':
            return note(asked);
          default:
            return { status: 501, body: undefined };
        }
      },
    }),
  ];
}
