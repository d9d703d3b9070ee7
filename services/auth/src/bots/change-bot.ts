import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import { assertSettings } from './assert-settings.ts';
import { botSettings, botView, remove, update, viewOf } from './bot.ts';
import type { BotParts } from './create-bot.ts';

const common = {
  path: '/v1/tenants/{tenantId}/bots/{botId}',
  action: 'bots:write',
  versioned: true,
} as const;

export const updateBot = ({ bots, ...parts }: BotParts) =>
  tenantRoute({
    ...common,
    method: 'patch',
    summary: 'Change a bot; what is left out stays, and whoever is signed in at a connection that goes is so no more',
    body: botSettings.partial(),
    response: botView,
    async handle({ tenantId, params: { botId: id }, body, cause, expectedVersion }) {
      const change = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined));
      const { state } = await readExisting(bots.in(tenantId), id);
      if (body.clientId !== undefined || body.connections !== undefined)
        await assertSettings(parts, tenantId, { ...state, ...change });
      const taken = { client: 'bot_exists' } as const;
      const entry = await changeExisting(bots.in(tenantId), id, bot => update(id, bot, change), {
        cause,
        expectedVersion,
        taken,
      });
      return { body: viewOf(entry), version: entry.version };
    },
  });

export const deleteBot = ({ bots, clock }: BotParts) =>
  tenantRoute({
    ...common,
    method: 'delete',
    summary: 'Delete a bot; it gets nothing any more, and its users are signed out there',
    status: 204,
    async handle({ tenantId, params: { botId: id }, cause, expectedVersion }) {
      const decide = (bot: Parameters<typeof remove>[1]) => remove(id, bot, clock.now());
      await changeExisting(bots.in(tenantId), id, decide, { cause, expectedVersion });
      return { body: undefined };
    },
  });
