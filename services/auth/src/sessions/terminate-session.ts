import { type Id, ProblemError } from '@reeve/contracts';
import { changeExisting, ownRoute, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { type EndAllParts, endAllOf } from './end-all.ts';
import { end, type SessionId, type Sessions } from './session.ts';
import { sessionView, type ViewParts, viewOf } from './session-view.ts';

type Parts = ViewParts & { sessions: Sessions };

const common = { method: 'post', action: 'sessions:write' } as const;
const ofOne = { ...common, versioned: true, response: sessionView } as const;
const ofAll = { ...common, response: z.object({ ended: z.number().describe('How many were live') }) } as const;

export const terminateSession = ({ sessions, ...parts }: Parts) =>
  tenantRoute({
    ...ofOne,
    path: '/v1/tenants/{tenantId}/sessions/{sessionId}:terminate',
    summary: 'End a session and the refresh tokens that belong to it',
    async handle({ tenantId, params: { sessionId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(sessions.in(tenantId), id, session => end(id, session, 'terminated'), {
        cause,
        expectedVersion,
      });
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });

export const terminateOwnSession = ({ sessions, ...parts }: Parts) =>
  ownRoute({
    ...ofOne,
    path: '/v1/me/sessions/{sessionId}:terminate',
    summary: 'End a session of your own, be it this one',
    async handle({ tenantId, caller, params: { sessionId: id }, cause, expectedVersion }) {
      const entry = await changeExisting(
        sessions.in(tenantId),
        id,
        session => {
          // Somebody else's is not there.
          if (session.userId !== caller.id) throw new ProblemError('not_found');
          return end(id, session, 'ended_by_owner');
        },
        { cause, expectedVersion },
      );
      return { body: await viewOf(parts, tenantId, entry), version: entry.version };
    },
  });

export const terminateUserSessions = (parts: EndAllParts) =>
  tenantRoute({
    ...ofAll,
    path: '/v1/tenants/{tenantId}/users/{userId}/sessions:terminate',
    summary: 'End all sessions of a person; whoever signs in again begins a new one',
    handle: async ({ tenantId, params: { userId }, cause }) => ({
      body: { ended: await endAllOf(parts, { tenantId, userId: userId as Id<'user'>, why: 'terminated', cause }) },
    }),
  });

const ofOwn = (parts: EndAllParts, { keepsThis }: { keepsThis: boolean }) =>
  ownRoute({
    ...ofAll,
    path: keepsThis ? '/v1/me/sessions:terminate-others' : '/v1/me/sessions:terminate',
    summary: keepsThis ? 'End all sessions of your own but this one' : 'End all sessions of your own, this one too',
    async handle({ tenantId, caller: { id: userId, sessionId }, cause }) {
      const except = keepsThis ? (sessionId as SessionId | null) : null;
      return { body: { ended: await endAllOf(parts, { tenantId, userId, why: 'ended_by_owner', cause, except }) } };
    },
  });

export const terminateOwnSessions = (parts: EndAllParts) => [
  ofOwn(parts, { keepsThis: false }),
  ofOwn(parts, { keepsThis: true }),
];
