import { ProblemError } from '@reeve/contracts';
import { createOnce, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import type { Connections } from '../connections/connection.ts';
import { hashOf } from '../sign-in/ticket.ts';
import { create, linkPath, linkView, mostOfATenant, newToken, type SetupLinks, viewOf } from './setup-link.ts';

type Parts = { links: SetupLinks; connections: Connections; issuer: string; clock: Clock };

const hourMs = 3_600_000;
const [usual, longest] = [7 * 24, 30 * 24];

export const createSetupLink = ({ links, connections, issuer, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/setup-links',
    summary:
      'Create a link by which an admin of the customer sets up one SSO connection without an account: it ends by ' +
      'itself, or with whoever made it',
    action: 'connections:write',
    body: z.strictObject({
      name: z.string().trim().min(1).max(200).describe('Whom it is for; it is in the log of what is done by it'),
      connectionId: z
        .string()
        .max(100)
        .exactOptional()
        .describe('To go on with that connection; a new one where left out'),
      changesInUse: z
        .boolean()
        .default(false)
        .describe('It also changes a connection by which people sign in: for whoever could come in as any of them'),
      expiresInHours: z.number().int().min(1).max(longest).default(usual),
    }),
    status: 201,
    response: linkView.extend({ url: z.string().nullable().describe('Shown once') }),
    withoutSecrets: body => ({ ...body, url: null }),
    async handle({ tenantId, body: { name, connectionId, changesInUse, expiresInHours }, cause, freshId }) {
      if (connectionId !== undefined) await readExisting(connections.in(tenantId), connectionId);
      const own = links.in(tenantId);
      const { items } = await own.list('byRevocation', { revokedAt: null }, { limit: mostOfATenant });
      if (items.length >= mostOfATenant) throw new ProblemError('setup_link_limit');
      const id = freshId('setupLink');
      const token = newToken();
      const now = clock.now();
      const state = {
        name,
        tokenHash: hashOf(token),
        connectionId: (connectionId ?? freshId('connection')) as `con_${string}`,
        isMade: connectionId !== undefined,
        isForNew: connectionId === undefined,
        changesInUse,
        guide: null,
        createdBy: cause.actor.id,
        createdAt: now.toISOString(),
        expiresAt: new Date(now.getTime() + expiresInHours * hourMs).toISOString(),
        usedAt: null,
        revokedAt: null,
      };
      const { entry, isNew } = await createOnce(own, id, create(id, state), { cause });
      const url = isNew ? issuer + linkPath(token) : null;
      return { body: { ...viewOf(entry), url }, version: entry.version };
    },
  });
