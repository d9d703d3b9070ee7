// A set-up link lets whoever holds it set up one connection of one tenant, without an account: the administrator of a
// customer. The link is the only proof of who they are, so that it is shown once, kept as a hash, ends by itself, and
// with whoever made it. Owns how long it counts; what is done by it is the connection's.
import { randomBytes } from 'node:crypto';
import { event, type Id, type TenantId } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type SetupLink = {
  /** Whom it is for: the name of whoever acts by it, in the log. */
  name: string;
  tokenHash: string;
  /** The connection that is set up by it, which need not be there yet. */
  connectionId: Id<'connection'>;
  /** The connection is there, or was. */
  isMade: boolean;
  /** It was made for a connection that was not there: its holder may begin anew with another one. */
  isForNew: boolean;
  /**
   * It also changes what people sign in by already, which makes its holder as good as their identity provider. Absent
   * for a link of before that could be said.
   */
  changesInUse?: boolean;
  /** The guide that its holder follows; null until one is chosen. */
  guide: string | null;
  /** The person or client that made it. */
  createdBy: string | null;
  createdAt: string;
  expiresAt: string;
  usedAt: string | null;
  revokedAt: string | null;
};

export type SetupLinks = Collections<SetupLink>;
export type LinkId = Id<'setupLink'>;

export const mostOfATenant = 100;

export const setupLinks = collection<SetupLink>({
  name: 'setup_links',
  globallyUnique: { token: ({ tokenHash }) => tokenHash },
  queries: {
    inOrder: { equality: [], direction: 'descending' },
    byMaker: { equality: ['createdBy'] },
    byRevocation: { equality: ['revokedAt'] },
  },
  expiresAt: ({ expiresAt }) => new Date(expiresAt),
});

export const newToken = (): string => randomBytes(32).toString('base64url');
export const linkPath = (token: string): string => `/setup/${token}`;

export const linkView = z.object({
  id: z.string(),
  name: z.string(),
  connectionId: z.string().describe('Of the connection that is set up by it; there is none before its holder began'),
  changesInUse: z.boolean().describe('It also changes a connection by which people sign in'),
  createdBy: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
  usedAt: z.string().nullable().describe('When its holder acted by it first'),
  revokedAt: z.string().nullable(),
});

export function viewOf({ id, state }: Entry<SetupLink>): z.infer<typeof linkView> {
  const { name, connectionId, changesInUse = false, createdBy, createdAt, expiresAt, usedAt, revokedAt } = state;
  return { id, name, connectionId, changesInUse, createdBy, createdAt, expiresAt, usedAt, revokedAt };
}

const about = (id: LinkId, { name, connectionId, changesInUse, expiresAt }: SetupLink) =>
  ({ id, name, details: { connectionId, changesInUse, expiresAt } }) as const;

export const create = (id: LinkId, state: SetupLink): NonNullable<Decision<SetupLink>> => ({
  state,
  events: [event('setup_link.created', { ...about(id, state), because: 'requested' })],
});

/** Its holder acts by it, which is told the first time. */
export function use(id: LinkId, link: SetupLink, at: Date, change: Partial<SetupLink> = {}): Decision<SetupLink> {
  const isFirst = link.usedAt === null;
  const state = { ...link, ...change, usedAt: link.usedAt ?? at.toISOString() };
  const used = event('setup_link.used', { ...about(id, state), because: 'first_act' });
  return { state, events: isFirst ? [used] : [] };
}

export function revoke(
  id: LinkId,
  link: SetupLink,
  { at, because }: { at: Date; because: 'requested' | 'maker_ended' },
): Decision<SetupLink> {
  if (link.revokedAt !== null) return null;
  const state = { ...link, revokedAt: at.toISOString() };
  return { state, events: [event('setup_link.revoked', { ...about(id, link), because })] };
}

/** A link that counts, and whose it is. */
export type OpenLink = Entry<SetupLink> & { id: LinkId; tenantId: TenantId; token: string };
