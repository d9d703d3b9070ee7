// A directory that pushes users by SCIM: an identity provider's or an HR system's. Owns its name and its bearer tokens, of which only hashes
// are kept; not the users it pushes (users/).
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { because } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
import { z } from 'zod';

export type Directory = { name: string; tokenSha256: string; createdAt: string };
export type Directories = Collections<Directory>;

export const directoryView = z.object({ id: z.string(), name: z.string(), baseUrl: z.string(), createdAt: z.string() });

export function defineDirectories(store: Store): Directories {
  return store.collections<Directory>({
    name: 'directories',
    globallyUnique: { id: (_, id) => id },
    queries: { inOrder: { equality: [] } },
  });
}

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

export function open(id: string, directory: Directory): NonNullable<Decision<Directory>> {
  const target = { type: 'directory', id, name: directory.name };
  return {
    state: directory,
    events: [
      {
        type: 'directory.created',
        target,
        outcome: 'success',
        reason: because('requested'),
        details: { kind: 'scim' },
      },
    ],
  };
}
