// A directory that pushes users by SCIM: an identity provider's or an HR system's. Owns its name and its bearer token,
// of which only a hash is kept; not the users it pushes (users/). A deleted one is gone at once, and tidied away when
// its event has long been published.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { event, type Id } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type Directory = {
  name: string;
  tokenSha256: string;
  createdAt: string;
  /** Absent while the directory is in use. */
  deletedAt?: Date;
};
export type Directories = Collections<Directory>;

export const directoryView = z.object({ id: z.string(), name: z.string(), baseUrl: z.string(), createdAt: z.string() });
/** The token is shown when it is made, and never again. */
export const directoryWithToken = directoryView.extend({ token: z.string().nullable() });
export const nameSchema = z.string().trim().min(1).max(200);

export const directories = collection<Directory>({
  name: 'directories',
  globallyUnique: { id: (_, id) => id },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex');

export function viewOf({ id, state }: Entry<Directory>, selfUrl: string): z.infer<typeof directoryView> {
  return { id, name: state.name, baseUrl: `${selfUrl}/scim/v2/${id}`, createdAt: state.createdAt };
}

export function newDirectoryToken(): { token: string; tokenSha256: string } {
  const token = randomBytes(32).toString('base64url');
  return { token, tokenSha256: hashOf(token) };
}

export function holdsToken({ tokenSha256 }: Directory, token: string): boolean {
  return timingSafeEqual(Buffer.from(hashOf(token), 'hex'), Buffer.from(tokenSha256, 'hex'));
}

type DirectoryId = Id<'directory'>;

export function open(id: DirectoryId, directory: Directory): NonNullable<Decision<Directory>> {
  const about = { id, name: directory.name, because: 'requested', details: { kind: 'scim' } } as const;
  return { state: directory, events: [event('directory.created', about)] };
}

export function rename(id: DirectoryId, directory: Directory, name: string): Decision<Directory> {
  if (directory.name === name) return null;
  const details = { changed: ['name'] };
  return {
    state: { ...directory, name },
    events: [event('directory.updated', { id, name, because: 'requested', details })],
  };
}

/** The token until now opens nothing from this moment on. */
export function rotateToken(id: DirectoryId, directory: Directory, tokenSha256: string): Decision<Directory> {
  const { name } = directory;
  return {
    state: { ...directory, tokenSha256 },
    events: [event('directory.token_rotated', { id, name, because: 'requested' })],
  };
}

export function remove(id: DirectoryId, directory: Directory, at: Date): Decision<Directory> {
  const { name } = directory;
  return {
    state: { ...directory, deletedAt: at },
    events: [event('directory.deleted', { id, name, because: 'requested' })],
  };
}
