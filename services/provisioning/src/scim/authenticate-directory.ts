import { ProblemError } from '@reeve/contracts';
import type { Authenticate } from '@reeve/service-kit';
import { type Directories, holdsToken } from '../directories/directory.ts';
import type { PushingDirectory } from './scim-user.ts';

/**
 * By the bearer token of the directory that the path names. One answer for an unknown directory, a missing token and a
 * wrong one.
 */
export const authenticateDirectory =
  ({ directories }: { directories: Directories }): Authenticate =>
  async ({ request, params }) => {
    const token = /^Bearer ([\w-]{20,200})$/i.exec(request.get('Authorization') ?? '')?.[1];
    const directory = await directories
      .acrossTenants('a directory names only itself in its path')
      .getByUnique('id', params['directoryId'] ?? '');
    if (!directory || token === undefined || !holdsToken(directory.state, token))
      throw new ProblemError('token_invalid', 'the bearer token is not one of this directory');
    const { id, tenantId, state } = directory;
    const details: PushingDirectory = { id };
    return {
      principal: { type: 'directory', id, tenantId, scopes: [], roles: [], platform: false },
      actor: { type: 'client', id, name: state.name, via: 'client' },
      sessionId: null,
      details,
    };
  };
