import { because, type EventDraft, type Id, ProblemError } from '@reeve/contracts';
import { pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { z } from 'zod';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';
import { signViewerToken, type Viewer, type Viewers } from './viewer-token.ts';

type Parts = { viewers: Viewers; signingKey: () => SigningKey; selfUrl: string; clock: Clock };

const path = '/v1/tenants/{tenantId}/audit/viewer-tokens' as const;
const [hour, day] = [3_600, 86_400];

const origin = z
  .string()
  .max(300)
  .refine(isOrigin, 'must be an origin, as https://app.example.org; http only for localhost');

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    url?.origin === text && (url.protocol === 'https:' || (url.protocol === 'http:' && url.hostname === 'localhost'))
  );
}

const viewerView = z.object({
  id: z.string(),
  name: z.string(),
  origins: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string(),
  revokedAt: z.string().nullable(),
});

const shown = ({ id, state }: Entry<Viewer>) => ({ id, ...state });

const event = (
  type: 'viewer_token.created' | 'viewer_token.revoked',
  id: string,
  { name, origins, expiresAt }: Viewer,
): EventDraft => ({
  type,
  target: { type: 'viewer_token', id, name },
  outcome: 'success',
  reason: because('requested'),
  details: { origins, expiresAt },
});

export const listViewerTokens = ({ viewers }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the viewer tokens that have not expired, newest first; never the tokens themselves',
    action: 'audit:configure',
    query: pageQuery,
    response: pageOf(viewerView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await viewers.in(tenantId).list('inOrder', {}, query);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const createViewerToken = (parts: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary: 'Create a token with which a page of yours shows this log to an admin: it only reads, and ends by itself',
    action: 'audit:configure',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('Whom or what it is for; it is in the log of what was read'),
      origins: z.array(origin).max(10).default([]).describe('Of the pages that may use it from a browser'),
      expiresInSeconds: z.number().int().min(60).max(day).default(hour),
    }),
    status: 201,
    response: viewerView.extend({ token: z.string().nullable().describe('Shown once') }),
    withoutSecrets: body => ({ ...body, token: null }),
    async handle({ tenantId, body: { name, origins, expiresInSeconds }, cause, freshId }) {
      const id: Id<'viewer'> = freshId('viewer');
      const now = parts.clock.now();
      const expiresAt = new Date(now.getTime() + expiresInSeconds * 1_000).toISOString();
      const state: Viewer = { name, origins, createdAt: now.toISOString(), expiresAt, revokedAt: null };
      const decision = { state, events: [event('viewer_token.created', id, state)] };
      const entry = await parts.viewers.in(tenantId).create(id, decision, cause);
      if (!entry) throw new ProblemError('conflict');
      return { body: { ...shown(entry), token: await signViewerToken(parts, { tenantId, id, viewer: state }) } };
    },
  });

export const revokeViewerToken = ({ viewers, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: `${path}/{viewerId}:revoke`,
    summary: 'Revoke a viewer token; it is refused from then on',
    action: 'audit:configure',
    response: viewerView,
    async handle({ tenantId, params, cause }) {
      const id = String(params['viewerId']);
      const revokedAt = clock.now().toISOString();
      const decide = (viewer: Viewer | null) =>
        viewer?.revokedAt === null
          ? { state: { ...viewer, revokedAt }, events: [event('viewer_token.revoked', id, viewer)] }
          : null;
      const entry = await viewers.in(tenantId).change(id, decide, { cause });
      if (!entry) throw new ProblemError('viewer_unknown');
      return { body: shown(entry) };
    },
  });
