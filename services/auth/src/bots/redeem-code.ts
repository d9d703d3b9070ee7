// The six digits that a page has shown: whoever types them into a chat has seen that page, and is the one who signed in
// on it. Somebody who was sent a link of another's chat signs in nowhere by it, as long as they keep the digits.
import type { Cause, Id } from '@reeve/contracts';
import type { Clock } from '@reeve/store';
import type { DelegatedSessions } from '../delegated-sessions/delegated-sessions.ts';
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import type { Session } from '../sessions/session.ts';
import { type AtBot, type AtBots, clientOf, withProvider } from './at-bot.ts';
import {
  type Allowed,
  agreeAsBefore,
  type BotUser,
  type BotUsers,
  type Code,
  chatKey,
  enter,
  type Failed,
  fail,
  isBoundToAnother,
  type Tried,
  tryCode,
} from './bot-user.ts';
import { openBotSession } from './open-session.ts';

export type RedeemParts = {
  users: BotUsers;
  atBots: AtBots;
  delegated: Pick<DelegatedSessions, 'open'>;
  live: LiveSessions;
  clock: Clock;
};

/** As they were signed in at the browser on whose page they agreed. */
const vouchedBy = ({ state }: LiveSession, identity: NonNullable<Session['identity']>) => ({
  ...identity,
  providerSubject: state.providerSubject ?? undefined,
  connectionId: state.connectionId as Id<'connection'>,
  authenticatedAt: new Date(state.authenticatedAt),
  // `fed` is said anew.
  amr: state.amr.filter(one => one !== 'fed'),
  acr: state.acr,
});

export type RedeemCode = ReturnType<typeof createRedeemCode>;

export function createRedeemCode({ users, atBots, delegated, live, clock }: RedeemParts) {
  async function failed(at: AtBot, why: Failed, { cause, provider }: { cause: Cause; provider: string }) {
    await users.in(at.tenantId).change(chatKey(at.chat), user => fail(user, why, provider), { cause });
    return false;
  }

  /** Whether the person is signed in at the bot. `take` says whether it is still theirs to be. */
  async function signIn(
    at: AtBot,
    browser: LiveSession,
    {
      cause: given,
      take,
    }: { cause: Cause; take: (user: BotUser | null, opened: LiveSession) => ReturnType<typeof enter> },
  ): Promise<boolean> {
    const { connectionId, userId, identity } = browser.state;
    const cause = withProvider(given, connectionId);
    if (!identity) return failed(at, { failed: 'sign_in_expired' }, { cause, provider: connectionId });
    const own = users.in(at.tenantId);
    const before = (await own.get(chatKey(at.chat)))?.state;
    // The auth_key names another identity provider than when the chat was signed in, or the bot another application.
    if (before?.sessionId && (before.bond?.connectionId !== connectionId || before.clientId !== clientOf(at)))
      await live.end({ tenantId: at.tenantId, sessionId: before.sessionId }, 'signed_out', cause);
    const opened = await openBotSession(delegated, at, { ...vouchedBy(browser, identity), cause });
    if ('failed' in opened) return failed(at, opened, { cause, provider: connectionId });
    const isSame = opened.state.userId === userId;
    let isTaken = false;
    const decide = (user: BotUser | null) => {
      const decision = isSame ? take(user, opened) : null;
      isTaken = decision !== null;
      return decision;
    };
    const entry = await own.change(chatKey(at.chat), decide, { cause });
    // Also where the same was sent twice, or again after whoever was at it was lost.
    if (isTaken || entry?.state.sessionId === opened.id) return true;
    await live.end({ tenantId: at.tenantId, sessionId: opened.id }, 'signed_out', cause);
    const isOthers = !isSame || (entry && isBoundToAnother(entry.state, bondOf(browser, opened).bond));
    return failed(at, { failed: isOthers ? 'other_person' : 'signed_out' }, { cause, provider: connectionId });
  }

  const bondOf = ({ state }: LiveSession, opened: LiveSession) => ({
    bond: { connectionId: state.connectionId, userId: opened.state.userId, subject: state.identity?.subject ?? null },
    sessionId: opened.id,
  });

  return {
    /** Whether it was right, and the person is signed in at the bot. */
    async redeem(at: AtBot, code: string, cause: Cause): Promise<boolean> {
      let tried: Tried = { none: true };
      const decide = (user: BotUser | null) => {
        const { tried: outcome, decision } = tryCode(user, { code, now: clock.now() });
        tried = outcome;
        return decision;
      };
      await users.in(at.tenantId).change(chatKey(at.chat), decide, { cause });
      const { right } = tried as { right?: Code };
      if (!right) return false;
      const provider = await atBots.providerOf(at);
      const browser = await live.find({ tenantId: at.tenantId, sessionId: right.from });
      // They have signed out there since, or the auth_key names another identity provider.
      if (!browser || provider?.id !== right.connectionId || browser.state.connectionId !== provider.id)
        return failed(at, { failed: 'sign_in_expired' }, { cause, provider: right.connectionId });
      return signIn(at, browser, {
        cause,
        take: (user, opened) => enter(user, bondOf(browser, opened), right),
      });
    },

    /** For whom the chat has been before: there is nobody else whom the link could sign in. */
    comeBack: (
      at: AtBot,
      browser: LiveSession,
      { nonce, allowed, cause }: { nonce: string; allowed: Allowed; cause: Cause },
    ): Promise<boolean> =>
      signIn(at, browser, {
        cause,
        take: (user, opened) => agreeAsBefore(user, { nonce, allowed, now: clock.now(), ...bondOf(browser, opened) }),
      }),
  };
}
