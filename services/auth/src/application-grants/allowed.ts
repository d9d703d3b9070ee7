// What people have allowed, as sign-ins and tokens ask of it: as it is now, and not a second ago.
import { type Cause, newId, ProblemError, type TenantId } from '@reeve/contracts';
import { type Clock, DuplicateKeyError, type Entry } from '@reeve/store';
import {
  type ApplicationGrant,
  type ApplicationGrants,
  type AskedFor,
  consent,
  covers,
  coversScopes,
  type GrantId,
  keyOf,
} from './application-grant.ts';

export type Allowed = ReturnType<typeof createAllowed>;

const attempts = 3;

export function createAllowed({ grants, clock }: { grants: ApplicationGrants; clock: Clock }) {
  const find = (tenantId: TenantId, asked: AskedFor): Promise<Entry<ApplicationGrant> | null> =>
    grants.in(tenantId).getByUnique('subject', keyOf(asked));

  return {
    /** What has been agreed to, where that is all that is asked for now. */
    async covering(tenantId: TenantId, asked: AskedFor): Promise<GrantId | null> {
      const found = await find(tenantId, asked);
      return found && covers(found.state, asked) ? (found.id as GrantId) : null;
    },

    /** Whether it counts still, for that. */
    async holds(tenantId: TenantId, id: GrantId, { scopes, clientId }: { scopes: string[]; clientId: string }) {
      const found = await grants.in(tenantId).get(id);
      return found?.state.clientId === clientId && coversScopes(found.state, scopes);
    },

    /** The person agrees. */
    async agree(tenantId: TenantId, asked: AskedFor, cause: Cause): Promise<void> {
      const own = grants.in(tenantId);
      for (let attempt = 1; ; attempt += 1) {
        const found = await find(tenantId, asked);
        const id = (found?.id ?? newId('grant')) as GrantId;
        try {
          // What was withdrawn since it was found does not come back: what rested on it would, too.
          const decide = (before: ApplicationGrant | null) =>
            found && !before ? null : consent(id, before, { asked, at: clock.now() });
          if (await own.change(id, decide, { cause })) return;
        } catch (error) {
          // In another window they have agreed at the same moment.
          if (!(error instanceof DuplicateKeyError) || attempt === attempts) throw error;
        }
        if (attempt === attempts) throw new ProblemError('conflict');
      }
    },
  };
}
