// Pages on which a person sees and ends their own sessions, and an administrator those of a tenant. They work without
// scripts. Whoever is not signed in comes by way of a sign-in.
import { type Id, isId, ProblemError } from '@reeve/contracts';
import { browserRouteFor, changeExisting, openRoute, type Page, type Route } from '@reeve/service-kit';
import type { Entry } from '@reeve/store';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { ApplicationGrants } from '../application-grants/application-grant.ts';
import { withdrawOwn } from '../application-grants/withdraw-own.ts';
import { type EndAllParts, endAllOf } from '../sessions/end-all.ts';
import type { LiveSessions } from '../sessions/live-sessions.ts';
import { end, type Session, type SessionId } from '../sessions/session.ts';
import { type SessionView, type ViewParts, viewsOf } from '../sessions/session-view.ts';
import { type PageName, pages, signedInPath } from './account-application.ts';
import type { AtBrowser, SignedIn } from './at-browser.ts';
import { accountPage, sessionsPage } from './pages.ts';

type Parts = ViewParts & EndAllParts & { grants: ApplicationGrants; live: LiveSessions; browserLogins: AtBrowser };
type At = { request: Request; response: Response };

const mostOfAPerson = 100;
const ofAPage = 50;

export function accountRoutes(parts: Parts): Route[] {
  const { sessions, grants, live, browserLogins, clock } = parts;

  async function viewsOfLive(
    tenantId: SignedIn['tenantId'],
    entries: readonly Entry<Session>[],
  ): Promise<SessionView[]> {
    const now = parts.clock.now().toISOString();
    return (await viewsOf(parts, tenantId, entries)).filter(({ status, overAt }) => status === 'live' && overAt > now);
  }

  async function shown({ userId, tenantId, sessionId, csrf }: SignedIn): Promise<{ page: Page }> {
    const only = { status: 'live' } as const;
    const { items } = await sessions.in(tenantId).list('byUser', { userId }, { limit: mostOfAPerson, only });
    const allowed = await grants.in(tenantId).list('byUser', { userId }, { limit: mostOfAPerson });
    const views = await viewsOfLive(tenantId, items);
    return { page: accountPage({ sessions: views, grants: allowed.items, current: sessionId, csrf }) };
  }

  /** Whoever ends the session that they are in is signed out at this browser as well. */
  async function ended(hasEndedThis: boolean, { request, response }: At, back: string) {
    if (hasEndedThis) await browserLogins.forget(request, response);
    return { redirect: back };
  }

  return [
    browserRouteFor<SignedIn>()({
      method: 'get',
      path: pages.account,
      summary: 'Your own sessions, as a page',
      action: 'sessions:read',
      handle: ({ principal }) => shown(principal),
    }),

    browserRouteFor<SignedIn>()({
      method: 'post',
      path: pages.account,
      summary: 'End one of your sessions, all others, or all; or what you have allowed an application',
      action: 'sessions:write',
      answer: 'redirect',
      body: z.strictObject({ end: z.union([z.enum(['others', 'all']), z.string().regex(/^(ses|gra)_[\w-]{1,60}$/)]) }),
      async handle({ principal: { userId, tenantId, sessionId }, body: { end: which }, cause, request, response }) {
        const at = { request, response };
        const all = { tenantId, userId, why: 'ended_by_owner', cause } as const;
        if (which === 'all' || which === 'others') {
          await endAllOf(parts, { ...all, except: which === 'others' ? sessionId : null });
          return ended(which === 'all', at, pages.account);
        }
        if (isId('grant', which)) {
          await withdrawOwn(grants, { tenantId, userId, id: which, at: clock.now(), cause });
          return { redirect: pages.account };
        }
        const own = await sessions.in(tenantId).get(which);
        // Somebody else's is not there.
        if (own?.state.userId !== userId) throw new ProblemError('not_found');
        await live.end({ tenantId, sessionId: which as SessionId }, 'ended_by_owner', cause);
        return ended(which === sessionId, at, pages.account);
      },
    }),

    browserRouteFor<SignedIn>()({
      method: 'get',
      path: pages.sessions,
      summary: 'The sessions of a tenant that are live, or of one person, as a page for its administrators',
      action: 'sessions:read',
      resource: 'tenant',
      query: z.strictObject({
        user: z.string().max(100).optional(),
        cursor: z.string().max(1_000).optional(),
      }),
      async handle({ principal: { tenantId, csrf, sessionId }, query: { user, cursor } }) {
        const page = { limit: ofAPage, only: { status: 'live' } as const, ...(cursor === undefined ? {} : { cursor }) };
        const userId = isId('user', user) ? user : null;
        const own = sessions.in(tenantId);
        const { items, nextCursor } = await (userId === null
          ? own.list('inOrder', {}, page)
          : own.list('byUser', { userId }, page));
        const views = await viewsOfLive(tenantId, items);
        return { page: sessionsPage({ sessions: views, current: sessionId, csrf, userId, nextCursor }) };
      },
    }),

    browserRouteFor<SignedIn>()({
      method: 'post',
      path: pages.sessions,
      summary: 'End a session of the tenant, or all of one person',
      action: 'sessions:write',
      resource: 'tenant',
      answer: 'redirect',
      body: z.strictObject({ end: z.string().regex(/^(ses|usr)_[\w-]{1,60}$/) }),
      async handle({ principal: { tenantId, sessionId, userId: self }, body: { end: which }, cause, ...at }) {
        if (which.startsWith('usr_')) {
          await endAllOf(parts, { tenantId, userId: which as Id<'user'>, why: 'terminated', cause });
          return ended(which === self, at, pages.sessions);
        }
        const decide = (session: Session) => end(which as SessionId, session, 'terminated');
        await changeExisting(sessions.in(tenantId), which, decide, { cause });
        return ended(which === sessionId, at, pages.sessions);
      },
    }),

    openRoute({
      method: 'get',
      path: signedInPath,
      summary: 'Where our own provider returns those who sign in to see their account',
      open: 'it leads on to the account, which asks who is there; the code that it brings is of no use',
      answer: 'page',
      query: z.looseObject({ state: z.string().optional(), error: z.string().optional() }),
      async handle({ query: { state, error } }) {
        // An end and not a loop.
        if (error !== undefined) throw new ProblemError('sign_in_failed');
        return {
          redirect: state !== undefined && Object.hasOwn(pages, state) ? pages[state as PageName] : pages.account,
        };
      },
    }),
  ];
}
