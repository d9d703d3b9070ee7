// The way of a person from a card in a chat to being signed in there: by the identity provider that the bot's connection
// names, to a page that says what is asked for, and by six digits back to the chat. The digits are why nobody signs in
// to another's chat by a link that they were sent; who the chat has been before needs none.
import { createHmac, randomInt } from 'node:crypto';
import { type Cause, ProblemError } from '@reeve/contracts';
import { causeOf, openRoute, type Page, pagesAreFor, type Reply, type Route } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Request, Response } from 'express';
import type { default as Provider } from 'oidc-provider';
import { z } from 'zod';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { BrandDirectory } from '../branding/brand-directory.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import { inRequestScope } from '../openid-provider/request-scope.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import { isSameText } from '../same-text.ts';
import type { LiveSession, LiveSessions } from '../sessions/live-sessions.ts';
import { demandOf, isMet } from '../step-up-policies/step-up-policy.ts';
import type { StepUpPolicyDirectory } from '../step-up-policies/step-up-policy-directory.ts';
import { type AtBot, type AtBots, callingBot, withProvider } from './at-bot.ts';
import type { Bots } from './bot.ts';
import { agree, type BotUser, type BotUsers, isBoundToAnother, pendingOf, refuse } from './bot-user.ts';
import { askPage, codePage, endPage } from './pages.ts';
import type { RedeemCode } from './redeem-code.ts';
import { botSurface, signedInPath, signInUrl } from './sign-in-application.ts';
import { type SignInLinks, signInPath, type Ticket } from './sign-in-links.ts';
import type { UserTokens } from './user-tokens.ts';

type Parts = {
  bots: Bots;
  users: BotUsers;
  atBots: AtBots;
  applications: Pick<ApplicationDirectory, 'find'>;
  tokens: UserTokens;
  links: SignInLinks;
  redeemCode: RedeemCode;
  provider: () => Provider;
  live: LiveSessions;
  stepUpPolicies: StepUpPolicyDirectory;
  brands: BrandDirectory;
  issuer: string;
  /** Of cookies, the newest first. */
  keys: readonly string[];
  clock: Clock;
};

type Came = { request: Request; response: Response; ticket: string };
/** Where the link leads, and by which identity provider. */
type Way = Ticket & { at: AtBot; user: BotUser; providerId: string };

const readAnswer = formReader('8kb');
const ticketText = z.string().min(1).max(500);
const open = 'nobody is known yet: the link is for one chat, and the page asks who is at the browser';

export function signInPageRoutes(parts: Parts): Route[] {
  const { bots, users, atBots, applications, tokens, links, redeemCode, live, issuer, keys, clock } = parts;

  /** Throws `sign_in_expired` for a link that is not ours, was used, or whose bot is gone. */
  async function wayOf(sealed: string): Promise<Way> {
    const ticket = links.open(sealed);
    const user = ticket && (await users.in(ticket.tenantId).get(ticket.chat))?.state;
    if (!ticket || !user || !pendingOf(user, ticket.nonce, clock.now())) throw new ProblemError('sign_in_expired');
    const { tenantId } = ticket;
    const bot = await bots.in(tenantId).get(user.botId);
    const application = bot && (await applications.find(bot.state.clientId));
    const { connectionName, channelId, channelUserId: userId } = user;
    const at =
      bot && application
        ? atBots.at(callingBot(tenantId, bot, application), { connectionName, channelId, userId })
        : null;
    const providerId = at && (await atBots.providerOf(at))?.id;
    if (!at || !providerId) throw new ProblemError('sign_in_expired');
    return { ...ticket, at, user, providerId };
  }

  const nameOf = ({ at }: Way) => at.bot.state.name;

  async function loginAt({ request, response }: Came) {
    const login = await parts.provider().Session.get(parts.provider().createContext(request, response));
    const ref = sessionOfLogin(login);
    return { session: ref && (await live.find(ref)), jti: login.jti };
  }

  /** Signed in by the identity provider of the connection, and as surely as the tenant demands. */
  async function isGood(session: LiveSession | null, { tenantId, providerId }: Way): Promise<boolean> {
    if (session?.tenantId !== tenantId || session.state.connectionId !== providerId) return false;
    if (session.state.delegate || (await live.isOverFor(session, botSurface))) return false;
    const demand = demandOf(await parts.stepUpPolicies.of(tenantId), { surface: botSurface, levelAsked: null });
    return !demand || isMet(demand, session.state.stepUp ?? null, clock.now());
  }

  /** A value that the form holds, for this person at this browser and for exactly that. */
  const requestOf = (jti: string, way: Way, session: LiveSession): string =>
    createHmac('sha256', keys[0] ?? '')
      .update(JSON.stringify(['bot-sign-in', jti, session.id, way.chat, way.nonce, way.at.connection]))
      .digest('base64url');

  function causeAt({ request }: Came, session: LiveSession, way: Way): Cause {
    const { userId, displayName, email } = session.state;
    const asked = withProvider(causeOf(request, null), way.providerId);
    return {
      ...asked,
      actor: { type: 'user', id: userId, name: displayName ?? email, via: 'session' },
      context: { ...asked.context, sessionId: session.id, clientId: way.at.bot.state.clientId },
    };
  }

  async function tellOther(came: Came, session: LiveSession, way: Way): Promise<Reply<never>> {
    const told = { nonce: way.nonce, now: clock.now(), provider: way.providerId, because: 'other_person' } as const;
    const cause = causeAt(came, session, way);
    await users.in(way.tenantId).change(way.chat, user => refuse(user, told), { cause });
    return { page: endPage('other', nameOf(way)) };
  }

  const bondOf = ({ state }: LiveSession, { providerId }: Way) =>
    ({ connectionId: providerId, userId: state.userId, subject: null }) as const;

  async function ask(came: Came, session: LiveSession, { way, jti }: { way: Way; jti: string }): Promise<Page> {
    const { at, user } = way;
    const granted = await tokens.grantedTo(at);
    if (!granted) throw new ProblemError('sign_in_failed');
    const scopes = granted.server.scopes.filter(({ name }) => granted.scope.split(' ').includes(name));
    const { email, displayName, userId } = session.state;
    return askPage({
      bot: nameOf(way),
      channel: user.channelId,
      person: email ?? displayName ?? userId,
      api: { name: granted.server.name, scopes },
      ticket: came.ticket,
      request: requestOf(jti, way, session),
    });
  }

  const inTenant = (response: Response, { tenantId }: Way) =>
    pagesAreFor(response, async () => ({ uiLocales: null, brand: await parts.brands.of(tenantId) }));

  /** Who is at the browser, where that is somebody who may answer; else where the browser goes. */
  async function arrived(came: Came, mayGo: boolean) {
    const way = await wayOf(came.ticket);
    inTenant(came.response, way);
    const { session, jti } = await loginAt(came);
    if (session && (await isGood(session, way))) return { way, session, jti };
    // An end, and not a loop.
    if (!mayGo) throw new ProblemError('sign_in_failed');
    return { redirect: `${signInPath}?${new URLSearchParams({ ticket: came.ticket })}` };
  }

  async function answered(came: Came, form: URLSearchParams): Promise<Reply<never>> {
    const found = await arrived(came, false);
    if ('redirect' in found) return { redirect: String(found.redirect) };
    const { way, session, jti } = found;
    const isOurs = isSameText(form.get('request'), requestOf(jti, way, session));
    const from = came.request.get('Sec-Fetch-Site') ?? 'same-origin';
    if (!isOurs || from !== 'same-origin') throw new ProblemError('csrf_mismatch');
    const cause = causeAt(came, session, way);
    const own = users.in(way.tenantId);
    const { nonce, providerId } = way;
    // The form is for exactly this connection (`requestOf`).
    const { resource, scopes } = way.at.connection;
    const allowed = { resource, scopes };
    if (form.get('answer') !== 'yes') {
      const refused = { nonce, now: clock.now(), provider: providerId, because: 'refused_by_person' } as const;
      await own.change(way.chat, user => refuse(user, refused), { cause });
      return { page: endPage('refused', nameOf(way)) };
    }
    const { bond } = way.user;
    if (bond?.connectionId === providerId && bond.userId === session.state.userId) {
      const isIn = await redeemCode.comeBack(way.at, session, { nonce, allowed, cause });
      if (!isIn) throw new ProblemError('sign_in_failed');
      return { page: endPage('done', nameOf(way)) };
    }
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    const agreed = {
      nonce,
      now: clock.now(),
      userId: session.state.userId,
      connectionId: providerId,
      from: session.id,
      allowed,
    };
    let isShown = false;
    const decide = (user: BotUser | null) => {
      const decision = agree(user, { ...agreed, code });
      isShown = decision !== null;
      return decision;
    };
    await own.change(way.chat, decide, { cause });
    if (!isShown) throw new ProblemError('sign_in_expired');
    return { page: codePage(code) };
  }

  const scoped = <T>({ request }: Came, work: () => Promise<T>): Promise<T> =>
    inRequestScope(causeOf(request, null), work);

  return [
    openRoute({
      method: 'get',
      path: signInPath,
      summary: 'Sign in at a bot, by the link on its card',
      open,
      answer: 'page',
      query: z.looseObject({ ticket: ticketText }),
      async handle({ query: { ticket }, response }) {
        const way = await wayOf(ticket);
        inTenant(response, way);
        return { redirect: signInUrl(issuer, { tenantId: way.tenantId, connectionId: way.providerId, ticket }) };
      },
    }),

    openRoute({
      method: 'get',
      path: signedInPath,
      summary: 'Where our own provider returns those who sign in at a bot: what the bot asks for',
      open,
      answer: 'page',
      query: z.looseObject({ state: ticketText, code: z.string().optional(), error: z.string().optional() }),
      handle({ query: { state: ticket, code, error }, request, response }) {
        const came = { request, response, ticket };
        return scoped(came, async (): Promise<Reply<never>> => {
          if (error !== undefined) throw new ProblemError('sign_in_failed');
          const found = await arrived(came, code === undefined);
          if ('redirect' in found) return { redirect: String(found.redirect) };
          const { way, session, jti } = found;
          if (isBoundToAnother(way.user, bondOf(session, way))) return tellOther(came, session, way);
          return { page: await ask(came, session, { way, jti }) };
        });
      },
    }),

    openRoute({
      method: 'post',
      path: signedInPath,
      summary: 'Sign in at the bot, or do not',
      open,
      answer: 'page',
      ownBody: true,
      accepts: [formType],
      async handle({ request, response }) {
        const form = await readAnswer(request);
        const came = { request, response, ticket: form.get('ticket') ?? '' };
        return scoped(came, () => answered(came, form));
      },
    }),
  ];
}
