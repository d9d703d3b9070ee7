// The session in which a bot acts for a person: of whom their identity provider has vouched for, by a token or at a
// browser. What the directory says of them is asked each time that one begins, and nobody is made by it.
import type { BotSignInFailure, Cause, Id } from '@reeve/contracts';
import type { DelegatedSessions } from '../delegated-sessions/delegated-sessions.ts';
import type { LiveSession } from '../sessions/live-sessions.ts';
import { type AtBot, clientOf } from './at-bot.ts';
import { chatKey, type Failed } from './bot-user.ts';
import { botSurface } from './sign-in-application.ts';

export type Vouched = {
  connectionId: Id<'connection'>;
  subject: string;
  providerSubject?: string | undefined;
  issuer: string;
  authenticatedAt: Date | null;
  amr: string[];
  acr: string | null;
};

const refusals = {
  unknown_subject: 'identity_unknown',
  inactive: 'user_deactivated',
  taken: 'other_person',
} as const satisfies Record<string, BotSignInFailure>;

export async function openBotSession(
  delegated: Pick<DelegatedSessions, 'open'>,
  at: AtBot,
  { cause, ...vouched }: Vouched & { cause: Cause },
): Promise<LiveSession | Failed> {
  const delegate = { clientId: clientOf(at), name: at.bot.state.name, by: 'bot', key: chatKey(at.chat) } as const;
  const asked = { ...vouched, tenantId: at.tenantId, delegate, surface: botSurface, cause };
  const opened = await delegated.open(asked);
  return 'refused' in opened ? { failed: refusals[opened.refused] } : opened;
}
