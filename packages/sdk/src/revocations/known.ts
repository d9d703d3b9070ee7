// What is known to be revoked, and what of a token follows from it. The services of Reeve decide in the same way
// (packages/service-kit/src/standing.ts); a test holds the two against each other.
import { createRevocationTable, revocationSchema } from '@reeve/contracts';
import type { Identity } from '../identity.ts';

const tidyEveryMs = 60_000;

export function createKnownRevocations({ now }: { now: () => number }) {
  const known = createRevocationTable({ now });
  let tidyAt = now() + tidyEveryMs;

  function tidy() {
    if (now() < tidyAt) return;
    tidyAt = now() + tidyEveryMs;
    known.tidy();
  }

  /** Not by `iat`, which holds whole seconds, and says nothing of a token whose client was read before the change. */
  function isOfRevokedClient({ clientId, claims }: Identity): boolean {
    const found = known.lookUp('client', clientId);
    if (!found) return false;
    const from = claims['client_tokens_from'];
    return found.issuedBefore === null || typeof from !== 'string' || from < found.issuedBefore;
  }

  return {
    /** False for an entry that cannot be read, such as one of a kind that is newer than this. */
    learn(entry: unknown): boolean {
      const parsed = revocationSchema.safeParse(entry);
      if (!parsed.success) return false;
      tidy();
      known.learn(parsed.data);
      return true;
    },

    /** Whoever it is with the roles and groups that they have now; null when their token counts no more. */
    now(identity: Identity): Identity | null {
      if (isOfRevokedClient(identity)) return null;
      const { isMachine, sub, sessionId, claims } = identity;
      if (isMachine) return identity;
      if (sessionId !== null && known.lookUp('session', sessionId)) return null;
      const { grant_id: grantId } = claims;
      if (typeof grantId === 'string' && known.lookUp('grant', grantId)) return null;
      const person = known.lookUp('user', sub);
      if (!person) return identity;
      if (person.status !== 'active') return null;
      // An API whose tokens say no roles or groups is not told them by this way either.
      return {
        ...identity,
        ...(claims['roles'] === undefined ? {} : { roles: person.roles }),
        ...(claims['groups'] === undefined || !person.groups ? {} : { groups: person.groups }),
      };
    },
  };
}
