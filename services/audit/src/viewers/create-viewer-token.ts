import { createOnce, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import { longestViewerMs } from './maker-end.ts';
import {
  create,
  signViewerToken,
  type Viewer,
  type ViewerParts,
  viewersPath,
  viewerView,
  viewOf,
} from './viewer-token.ts';

const [hour, longest] = [3_600, longestViewerMs / 1_000];

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

export const createViewerToken = (parts: ViewerParts) =>
  tenantRoute({
    method: 'post',
    path: viewersPath,
    summary:
      'Create a token with which a page of yours shows this log to an admin: it only reads, and ends by itself ' +
      'or with whoever made it',
    action: 'audit:configure',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('Whom or what it is for; it is in the log of what was read'),
      origins: z.array(origin).max(10).default([]).describe('Of the pages that may use it from a browser'),
      expiresInSeconds: z.number().int().min(60).max(longest).default(hour),
    }),
    status: 201,
    response: viewerView.extend({ token: z.string().nullable().describe('Shown once') }),
    withoutSecrets: body => ({ ...body, token: null }),
    async handle({ tenantId, body: { name, origins, expiresInSeconds }, cause, freshId }) {
      const id = freshId('viewer');
      const now = parts.clock.now();
      const expiresAt = new Date(now.getTime() + expiresInSeconds * 1_000).toISOString();
      const createdBy = cause.actor.id;
      const state: Viewer = { name, origins, createdBy, createdAt: now.toISOString(), expiresAt, revokedAt: null };
      const { entry, isNew } = await createOnce(parts.viewers.in(tenantId), id, create(id, state), { cause });
      const token = isNew ? await signViewerToken(parts, { tenantId, id, viewer: entry.state }) : null;
      return { body: { ...viewOf(entry), token }, version: entry.version };
    },
  });
