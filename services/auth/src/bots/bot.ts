// A bot of a tenant: the application whose credentials are its own, and the connections by which it gets tokens of its
// users. A connection names the tenant's identity provider by an auth_key, and the API that the tokens are for. Owns
// nothing of who is signed in (bot-user.ts). A deleted bot is gone at once.
import { event, type Id, idSchema } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import { keySchema } from '../auth-keys/auth-key.ts';
import { scopeText } from '../resource-servers/exchange-policy.ts';

const audience = z.string().min(1).max(500);

const tokenExchange = z.strictObject({
  audience: audience.describe('Uri of the TokenExchangeResource: what a client gets a token for'),
  tokenAudience: audience
    .exactOptional()
    .describe('What such a token has as `aud`, where it is another text: the id of the application, at Entra v2'),
  clients: z
    .array(z.string().min(1).max(200))
    .max(50)
    .default([])
    .describe('Applications of the identity provider whose users’ tokens are taken (`azp`), besides the API’s own'),
  providerId: z.string().min(1).max(200).exactOptional().describe('For clients; nothing here goes by it'),
});

const connectionName = z
  .string()
  .trim()
  .regex(/^[\w .:@/-]{1,100}$/, 'must be up to 100 letters, digits and . : @ / - _');

const connection = z.strictObject({
  name: connectionName.describe('As the bot calls it'),
  authKey: keySchema.describe('Of the tenant: which identity provider'),
  tokenExchange: tokenExchange.nullable().default(null).describe('Null where people sign in on the page alone'),
  resource: z.url().max(500).describe('A registered API with JWTs: what the users’ tokens are for'),
  scopes: z.array(scopeText).min(1).max(50).describe('What can be done there'),
  consent: z
    .enum(['administrator', 'person'])
    .default('administrator')
    .describe('person: nobody’s token is exchanged before they have agreed on the page'),
});
export type BotConnection = z.infer<typeof connection>;

export const botSettings = z.strictObject({
  name: z.string().trim().min(1).max(200),
  clientId: idSchema('client').describe('The application that the bot authenticates as'),
  connections: z
    .array(connection)
    .max(20)
    .refine(all => new Set(all.map(({ name }) => name)).size === all.length, 'has a name twice'),
  allowedServiceUrls: z
    .array(z.url({ protocol: /^https?$/ }).max(500))
    .max(20)
    .describe('Where its channels are, by how the URL begins; of others nothing is taken. Empty for anywhere'),
});
export type BotSettings = z.infer<typeof botSettings>;

export type Bot = BotSettings & { createdAt: string; deletedAt?: Date };
export type Bots = Collections<Bot>;
export type BotId = Id<'bot'>;

export const bots = collection<Bot>({
  name: 'bots',
  unique: { client: ({ clientId, deletedAt }) => (deletedAt ? null : clientId) },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const botView = z.object({ id: z.string(), createdAt: z.string(), ...botSettings.shape });

export function viewOf({ id, state }: Entry<Bot>): z.infer<typeof botView> {
  const { deletedAt: _, ...rest } = state;
  return { id, ...rest };
}

const about = (id: BotId, { name, clientId, connections }: Bot) => ({
  id,
  name,
  because: 'requested' as const,
  details: { clientId, connections: connections.map(one => one.name) },
});

export function register(id: BotId, state: Bot): NonNullable<Decision<Bot>> {
  return { state, events: [event('bot.created', about(id, state))] };
}

export function update(id: BotId, bot: Bot, change: Partial<BotSettings>): Decision<Bot> {
  const changed = changedIn(bot, change);
  if (changed.length === 0) return null;
  const state = { ...bot, ...change };
  const { details, ...told } = about(id, state);
  return { state, events: [event('bot.updated', { ...told, details: { ...details, changed: [...changed] } })] };
}

export function remove(id: BotId, bot: Bot, at: Date): Decision<Bot> {
  return { state: { ...bot, deletedAt: at }, events: [event('bot.deleted', about(id, bot))] };
}

/** Case of the host and a missing path are written alike; what only begins with the same letters is another host. */
export function isAllowedServiceUrl({ allowedServiceUrls }: Bot, given: string | undefined): boolean {
  if (allowedServiceUrls.length === 0) return true;
  const url = given === undefined ? null : URL.parse(given);
  if (!url || url.username !== '' || url.password !== '') return false;
  return allowedServiceUrls.some(one => {
    const allowed = URL.parse(one);
    const path = allowed?.pathname.replace(/\/$/, '');
    return url.origin === allowed?.origin && (url.pathname === path || url.pathname.startsWith(`${path}/`));
  });
}
