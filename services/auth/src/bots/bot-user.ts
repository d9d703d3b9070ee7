// Somebody at a bot, as a channel calls them, at one of the bot's connections: which person of the tenant that is, in
// which session they are signed in there, the sign-in that is on its way, and the exchanges of the last minute, each of
// which is one bot's to do and has one answer. No token is kept here, nor anywhere: one is made when it is asked for.
import { createHash } from 'node:crypto';
import { type BotSignInFailure, event, type Id } from '@reeve/contracts';
import { type Collections, collection, type Decision } from '@reeve/store';
import { isSameText } from '../same-text.ts';
import type { SessionId } from '../sessions/session.ts';
import type { BotId } from './bot.ts';

/** Who is meant, in the words of the channel. */
export type Chat = { botId: BotId; connectionName: string; channelId: string; channelUserId: string };

/** The first that came; from then on nobody else is taken for this user. `subject` where a token has said it. */
export type Bond = { connectionId: string; userId: Id<'user'>; subject: string | null };

export type Failed = { failed: BotSignInFailure; problem?: string | null };
export type Exchanged = { sessionId: SessionId; userId: Id<'user'>; token: { id: string; at: number } };
export type Outcome = Failed | Exchanged;

type Exchange = {
  /** A hash of what the channel, or the token, names it by. */
  id: string;
  until: string;
  outcome: Outcome;
};

/** What a person was asked on the page: it is that which they have agreed to, and no more. */
export type Allowed = { resource: string; scopes: readonly string[] };

export type Code = {
  hash: string;
  tries: number;
  /** The digits have come. They are used up where that comes to something: whoever is at it may be lost before. */
  isTyped?: true;
  until: string;
  userId: Id<'user'>;
  connectionId: string;
  from: SessionId;
  allowed: Allowed;
};

export type Pending = { nonce: string; until: string; code: Code | null };

export type BotUser = Chat & {
  clientId: Id<'client'>;
  bond: Bond | null;
  /** Of the bond, to find the person's by; null where there is none. */
  userId: Id<'user'> | null;
  /** Who has agreed on the page, and to what; null where nobody has. */
  agreed: (Allowed & { userId: Id<'user'>; connectionId: string }) | null;
  /** In which they are signed in at the bot; null where they are not, or no more. */
  sessionId: SessionId | null;
  pending: Pending | null;
  /** Those that were answered. */
  exchanges: Exchange[];
  /** How often they were signed out, as far as there is a record: what was on its way then comes to nothing. */
  signOuts?: number;
  touchedAt: string;
  deletedAt?: Date;
};

export type BotUsers = Collections<BotUser>;

const keptMs = 90 * 86_400_000;
/** As long as clients of one person come with the same token. */
const answeredMs = 60_000;
const mostAnswered = 20;
const pendingMs = 600_000;
const leastPendingMs = 120_000;
const codeMs = 300_000;
const mostTries = 5;

export const botUsers = collection<BotUser>({
  name: 'bot_users',
  queries: { byBot: { equality: ['botId'] }, byClient: { equality: ['clientId'] }, byUser: { equality: ['userId'] } },
  dueAt: ({ pending }) => (pending ? new Date(pending.until) : null),
  expiresAt: ({ touchedAt, deletedAt }) => deletedAt ?? new Date(Date.parse(touchedAt) + keptMs),
});

const nobody = { bond: null, userId: null, agreed: null, sessionId: null, pending: null, exchanges: [] };

const hashOf = (...parts: string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('base64url');

export const chatKey = ({ botId, connectionName, channelId, channelUserId }: Chat): string =>
  hashOf(botId, connectionName, channelId, channelUserId);

export const exchangeKey = (id: string): string => hashOf('exchange', id);

type Of = { chat: Chat; clientId: Id<'client'>; now: Date };
const after = (now: Date, ms: number) => new Date(now.getTime() + ms).toISOString();

function known(user: BotUser | null, { chat, clientId, now }: Of): BotUser {
  return { ...(user ?? { ...chat, ...nobody }), clientId, touchedAt: now.toISOString() };
}

function about(user: BotUser, { userId, provider }: { userId: Id<'user'> | null; provider: string | null }) {
  const { botId: id, clientId, connectionName: botConnection, channelId, channelUserId } = user;
  return { id, details: { userId, clientId, botConnection, provider, channelId, channelUserId } };
}

function failure(user: BotUser, { failed, problem = null }: Failed, provider: string | null) {
  const { id, details } = about(user, { userId: user.bond?.userId ?? null, provider });
  return event('bot_sign_in.failed', { id, because: failed, details: { ...details, problem } });
}

/** What was answered to whoever came with the same a moment ago. */
export function answered(user: BotUser | null, id: string, now: Date): Outcome | null {
  return user?.exchanges.find(one => one.id === id && one.until > now.toISOString())?.outcome ?? null;
}

export type Signed = { bond: Bond; sessionId: SessionId };
type Settling = Of & { id: string; provider: string | null; signOuts: number };
type Judged = Failed | (Signed & { token: { id: string; at: number } });

export const signOutsOf = (user: BotUser | null): number => user?.signOuts ?? 0;

/** What the next one who asks, or another instance, may come past: it is no answer to an exchange. */
const passing = new Set<BotSignInFailure>(['provider_unreachable', 'provider_timeout', 'provider_response']);
export const isPassing = (outcome: Outcome): outcome is Failed => 'failed' in outcome && passing.has(outcome.failed);

/**
 * The one answer to an exchange: that of whoever writes it first. Null where another was first, or where the person was
 * signed out since it began. What passes is told, and is no answer.
 */
export function settle(user: BotUser | null, settling: Settling, judged: Judged): Decision<BotUser> {
  const { id, now, provider, signOuts } = settling;
  if (answered(user, id, now) || signOutsOf(user) !== signOuts) return null;
  const before = known(user, settling);
  const outcome: Outcome =
    'failed' in judged
      ? judged
      : isBoundToAnother(before, judged.bond)
        ? { failed: 'other_person' }
        : { sessionId: judged.sessionId, userId: judged.bond.userId, token: judged.token };
  const others = before.exchanges.filter(one => one.id !== id && one.until > now.toISOString());
  const own = isPassing(outcome) ? [] : [{ id, until: after(now, answeredMs), outcome }];
  const exchanges = [...others.slice(1 - mostAnswered), ...own];
  if ('failed' in outcome) return { state: { ...before, exchanges }, events: [failure(before, outcome, provider)] };
  const state = { ...before, exchanges, ...signedInAs(before, judged as Signed) };
  return { state, events: [signedIn(state, 'token_exchange')] };
}

/** Of another identity provider it is none: the administrator has named this one since. */
export function isBoundToAnother({ bond }: BotUser, { connectionId, userId }: Bond): boolean {
  return bond !== null && bond.connectionId === connectionId && bond.userId !== userId;
}

function signedInAs({ bond: before, agreed }: BotUser, { bond, sessionId }: Signed) {
  const isSame = before?.connectionId === bond.connectionId;
  return {
    bond: { ...bond, subject: bond.subject ?? (isSame ? before.subject : null) },
    userId: bond.userId,
    // Of whoever was there before, nothing stays.
    agreed: agreed?.userId === bond.userId ? agreed : null,
    sessionId,
    pending: null,
  };
}

function signedIn(user: BotUser, because: 'token_exchange' | 'code' | 'same_person') {
  const { bond, sessionId } = user;
  const { id, details } = about(user, { userId: bond?.userId ?? null, provider: bond?.connectionId ?? null });
  return event('bot_sign_in.exchanged', { id, because, details: { ...details, ...(sessionId ? { sessionId } : {}) } });
}

/** A way to the page. The one that there is, as long as somebody can still go it. */
export function begin(user: BotUser | null, of: Of & { nonce: string }): Decision<BotUser> {
  if (user?.pending && user.pending.until > after(of.now, leastPendingMs)) return null;
  const pending = { nonce: of.nonce, until: after(of.now, pendingMs), code: null };
  return { state: { ...known(user, of), pending }, events: [] };
}

/** The one that a link leads to; null for one that was used, or is over. */
export function pendingOf(user: BotUser | null, nonce: string, now: Date): Pending | null {
  const pending = user?.pending ?? null;
  return pending && pending.nonce === nonce && pending.until > now.toISOString() ? pending : null;
}

type Agreed = {
  nonce: string;
  now: Date;
  userId: Id<'user'>;
  connectionId: string;
  from: SessionId;
  allowed: Allowed;
};

/** Whether what the connection is for now is what the person has been asked. */
export function hasAgreed(
  { agreed, bond }: BotUser,
  { connectionId, resource, scopes }: Allowed & { connectionId: string },
) {
  if (!agreed || agreed.connectionId !== connectionId || agreed.userId !== bond?.userId) return false;
  return agreed.resource === resource && scopes.every(scope => agreed.scopes.includes(scope));
}

const agreedBy = ({ bond: { userId, connectionId } }: Signed, { resource, scopes }: Allowed) => ({
  agreed: { userId, connectionId, resource, scopes },
});

/** A person has agreed on the page, whose browser is shown the code. Null where the link is over. */
export function agree(user: BotUser | null, agreed: Agreed & { code: string }): Decision<BotUser> {
  const { nonce, now, userId, connectionId, from, allowed, code } = agreed;
  const pending = pendingOf(user, nonce, now);
  if (!user || !pending || isBoundToAnother(user, { connectionId, userId, subject: null })) return null;
  // Whoever goes the same way again does not get more tries by it.
  const tries = pending.code?.tries ?? 0;
  const until = after(now, codeMs);
  const shown = { hash: codeHash(nonce, code), tries, until, userId, connectionId, from, allowed };
  const longer = until > pending.until ? until : pending.until;
  return { state: { ...user, pending: { ...pending, until: longer, code: shown } }, events: [] };
}

/** It is their own chat, as is known of an earlier time: there is nobody else whom it could sign in. */
export function agreeAsBefore(
  user: BotUser | null,
  { nonce, now, allowed, ...signed }: Signed & { nonce: string; now: Date; allowed: Allowed },
) {
  if (!user || !pendingOf(user, nonce, now) || user.bond?.userId !== signed.bond.userId) return null;
  const state: BotUser = { ...user, ...signedInAs(user, signed), ...agreedBy(signed, allowed) };
  return { state, events: [signedIn(state, 'same_person')] };
}

export function refuse(
  user: BotUser | null,
  { nonce, now, provider, because }: { nonce: string; now: Date; provider: string; because: BotSignInFailure },
): Decision<BotUser> {
  if (!user || !pendingOf(user, nonce, now)) return null;
  // That somebody else has come does not end the way of whom it is for.
  const state = because === 'other_person' ? user : { ...user, pending: null };
  return { state, events: [failure(user, { failed: because }, provider)] };
}

/** Six digits are few: what is kept of them is for whoever has the nonce as well, which is in no answer. */
const codeHash = (nonce: string, code: string) => hashOf('code', nonce, code);

export type Tried = { right: Code } | { wrong: true } | { none: true };

/**
 * After some wrong ones there are none any more. That they are right is written before anything is done by it: guesses
 * that come at once, of which one is right, are counted as those that come one after another.
 */
export function tryCode(
  user: BotUser | null,
  { code, now }: { code: string; now: Date },
): { tried: Tried; decision: Decision<BotUser> } {
  const pending = user?.pending ?? null;
  const shown = pending?.code ?? null;
  if (!user || !pending || !shown || shown.until <= now.toISOString()) return { tried: { none: true }, decision: null };
  if (isSameText(shown.hash, codeHash(pending.nonce, code))) {
    const typed = { ...user, pending: { ...pending, code: { ...shown, isTyped: true as const } } };
    return { tried: { right: shown }, decision: shown.isTyped ? null : { state: typed, events: [] } };
  }
  const tries = shown.tries + 1;
  const events = tries < mostTries ? [] : [failure(user, { failed: 'wrong_code' }, shown.connectionId)];
  const left = tries < mostTries ? { ...pending, code: { ...shown, tries } } : null;
  return { tried: { wrong: true }, decision: { state: { ...user, pending: left }, events } };
}

/**
 * By the digits of a page, which are used up by it. Null where the chat has become somebody else's in between, or the
 * digits are those of it no more.
 */
export function enter(user: BotUser | null, signed: Signed, { hash, allowed }: Code): Decision<BotUser> {
  if (!user || user.pending?.code?.hash !== hash || isBoundToAnother(user, signed.bond)) return null;
  const state: BotUser = { ...user, ...signedInAs(user, signed), ...agreedBy(signed, allowed) };
  return { state, events: [signedIn(state, 'code')] };
}

/** Where nobody is signed in. Digits that have led to that are used up by it. */
export function fail(user: BotUser | null, failed: Failed, provider: string): Decision<BotUser> {
  if (!user) return null;
  const pending = user.pending?.code?.isTyped ? null : user.pending;
  return { state: { ...user, pending }, events: [failure(user, failed, provider)] };
}

/** What is on its way comes to nothing as well, which is why it is noted where nobody was signed in, too. */
export function signOut(user: BotUser | null, of: Of): NonNullable<Decision<BotUser>> {
  const signOuts = signOutsOf(user) + 1;
  return { state: { ...known(user, of), sessionId: null, pending: null, exchanges: [], signOuts }, events: [] };
}

/** Of somebody who is gone, or at a bot that is. Emptied and over, not removed: events of it may wait for Kafka. */
export const forget = (user: BotUser, at: Date): NonNullable<Decision<BotUser>> => ({
  state: { ...user, ...nobody, channelUserId: '', deletedAt: at },
  events: [],
});

export function timeOut(user: BotUser | null, now: Date): Decision<BotUser> {
  if (!user?.pending || user.pending.until > now.toISOString()) return null;
  const provider = user.pending.code?.connectionId ?? null;
  return { state: { ...user, pending: null }, events: [failure(user, { failed: 'expired' }, provider)] };
}

export function report(user: BotUser | null, of: Of & { problem: string | null }): NonNullable<Decision<BotUser>> {
  const state = known(user, of);
  return { state, events: [failure(state, { failed: 'reported_by_client', problem: of.problem }, null)] };
}
