// What is known to be revoked, and what of a token follows from it. The services of Reeve decide in the same way
// (packages/service-kit/src/standing.ts); a test holds the two against each other.
import { type Revocation, revocationSchema } from '@reeve/contracts';
import type { Identity } from '../identity.ts';

type Of<K extends Revocation['kind']> = Extract<Revocation, { kind: K }>;

const tidyEveryMs = 60_000;

export function createKnownRevocations({ now }: { now: () => number }) {
  const sessions = new Map<string, Of<'session'>>();
  const people = new Map<string, Of<'user'>>();
  const clients = new Map<string, Of<'client'>>();
  const grants = new Map<string, Of<'grant'>>();
  let tidyAt = now() + tidyEveryMs;

  const matters = ({ until }: Revocation) => Date.parse(until) > now();

  function lookUp<R extends Revocation>(known: Map<string, R>, id: string): R | undefined {
    const found = known.get(id);
    return found && matters(found) ? found : undefined;
  }

  function tidy() {
    if (now() < tidyAt) return;
    tidyAt = now() + tidyEveryMs;
    for (const known of [sessions, people, clients, grants])
      for (const [id, revocation] of known) if (!matters(revocation)) known.delete(id);
  }

  /** Not by `iat`, which holds whole seconds, and says nothing of a token whose client was read before the change. */
  function isOfRevokedClient({ clientId, claims }: Identity): boolean {
    const found = lookUp(clients, clientId);
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
      const { data: revocation } = parsed;
      if (!matters(revocation)) return true;
      if (revocation.kind === 'session') sessions.set(revocation.id, revocation);
      else if (revocation.kind === 'user') people.set(revocation.id, revocation);
      else if (revocation.kind === 'grant') grants.set(revocation.id, revocation);
      else if (revocation.kind === 'client') clients.set(revocation.id, revocation);
      return true;
    },

    /** Whoever it is with the roles that they have now; null when their token counts no more. */
    now(identity: Identity): Identity | null {
      if (isOfRevokedClient(identity)) return null;
      const { isMachine, sub, sessionId, claims } = identity;
      if (isMachine) return identity;
      if (sessionId !== null && lookUp(sessions, sessionId)) return null;
      const { grant_id: grantId } = claims;
      if (typeof grantId === 'string' && lookUp(grants, grantId)) return null;
      const person = lookUp(people, sub);
      if (!person) return identity;
      if (person.status !== 'active') return null;
      // An API whose tokens say no roles is not told them by this way either.
      return claims['roles'] === undefined ? identity : { ...identity, roles: person.roles };
    },
  };
}
