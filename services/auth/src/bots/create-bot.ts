import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { assertSettings, type SettingsParts } from './assert-settings.ts';
import { type Bots, botSettings, botView, register, viewOf } from './bot.ts';

export type BotParts = SettingsParts & { bots: Bots; clock: Clock };

const { shape } = botSettings;

export const createBot = ({ bots, clock, ...parts }: BotParts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/bots',
    summary: 'Register a bot, which gets tokens of its users by the credentials of an application',
    action: 'bots:write',
    body: botSettings.extend({
      connections: shape.connections.default([]),
      allowedServiceUrls: shape.allowedServiceUrls.default([]),
    }),
    status: 201,
    response: botView,
    async handle({ tenantId, body: settings, cause, freshId }) {
      await assertSettings(parts, tenantId, settings);
      const id = freshId('bot');
      const registered = register(id, { ...settings, createdAt: clock.now().toISOString() });
      const taken = { client: 'bot_exists' } as const;
      const { entry } = await createOnce(bots.in(tenantId), id, registered, { cause, taken });
      return { body: viewOf(entry), version: entry.version };
    },
  });
