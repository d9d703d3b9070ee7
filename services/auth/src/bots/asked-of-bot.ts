// What SDKs send with their requests (standards-2026.md 13.3): names in a query, and a conversation as a state.
import { invalidField, parseJson } from '@reeve/contracts';
import { z } from 'zod';
import { type Bot, isAllowedServiceUrl } from './bot.ts';

/** Of a channel’s making: ids may hold whatever text there is. */
export const nameText = z.string().min(1).max(500);

/** An SDK sends parameters that it has nothing to say by, and newer ones more of them. */
export const userQuery = z.looseObject({ userId: nameText, connectionName: nameText, channelId: nameText });
export type UserQuery = z.infer<typeof userQuery>;

/** The code that a person has typed; whatever else an SDK sends here is none. */
export const codeText = z.string().max(100).optional();
const sixDigits = /^\d{6}$/;
export const codeIn = (text: string | undefined): string | null => {
  const code = text?.trim();
  return code !== undefined && sixDigits.test(code) ? code : null;
};

export const stateText = z.string().min(1).max(20_000);

const conversation = z.looseObject({
  channelId: nameText.optional(),
  serviceUrl: z.string().max(2_000).nullish(),
  user: z.looseObject({ id: nameText }).nullish(),
});
const stateSchema = z.looseObject({
  connectionName: nameText,
  conversation: conversation.nullish(),
  msAppId: z.string().max(200).nullish(),
});

type State = { connectionName: string; channelId: string | null; userId: string | null };

/**
 * What the bot itself says of where it is; nobody else's, since it comes with the bot's own token. Throws
 * `input_invalid`.
 */
export function readState(text: string, { clientId, ...bot }: Bot): State {
  const wrong = (message: string) => invalidField('query.state', message);
  let json: unknown;
  try {
    json = parseJson(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    throw wrong('is not JSON in Base64');
  }
  const read = stateSchema.safeParse(json);
  if (!read.success) throw wrong('names no connection and conversation');
  const { connectionName, conversation: at, msAppId } = read.data;
  if (msAppId && msAppId !== clientId) throw wrong('is of another application');
  if (at && !isAllowedServiceUrl({ clientId, ...bot }, at.serviceUrl ?? undefined))
    throw wrong('is of a channel that the bot is not at');
  return { connectionName, channelId: at?.channelId ?? null, userId: at?.user?.id ?? null };
}
