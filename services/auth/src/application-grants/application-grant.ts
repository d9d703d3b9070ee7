// What a person has allowed an application that nobody registered: scopes at one API, or what is said of the person
// where it names none. What such an application gets rests on it, and is void with it: no token is refreshed without
// finding it, so that withdrawing it ends them in the same write. Pure.
import { createHash } from 'node:crypto';
import { event, type Id, mattersUntil, type ReasonOf, revocationDraft } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type ApplicationGrant = {
  userId: Id<'user'>;
  /** The URL of its document, and a hash of what that said. */
  clientId: string;
  documentSha256: string;
  /** Null where the application has access to no API. */
  resource: string | null;
  scopes: string[];
  /** Where the person has seen that it sends them. */
  redirectUris: string[];
  /** When the person last agreed. */
  consentedAt: string;
  /** Absent while it counts. */
  withdrawnAt?: Date;
};
export type ApplicationGrants = Collections<ApplicationGrant>;
export type GrantId = Id<'grant'>;

/** One for each person, application and API. */
type Subject = Pick<ApplicationGrant, 'userId' | 'clientId' | 'resource'>;
export const keyOf = ({ userId, clientId, resource }: Subject): string =>
  createHash('sha256')
    .update(JSON.stringify([userId, clientId, resource]))
    .digest('hex');

export const applicationGrants = collection<ApplicationGrant>({
  name: 'application_grants',
  unique: { subject: grant => (grant.withdrawnAt ? null : keyOf(grant)) },
  queries: {
    inOrder: { equality: [], direction: 'descending' },
    byUser: { equality: ['userId'], direction: 'descending' },
  },
  expiresAt: ({ withdrawnAt }) => withdrawnAt ?? null,
});

/** What an application asks a person for, and what of its document they are asked by. */
export type AskedFor = Omit<ApplicationGrant, 'redirectUris' | 'consentedAt' | 'withdrawnAt'> & { redirectUri: string };

/** Whether a person has agreed to all of it, as it was shown then. */
export const covers = (grant: ApplicationGrant, asked: AskedFor): boolean =>
  grant.documentSha256 === asked.documentSha256 &&
  grant.redirectUris.includes(asked.redirectUri) &&
  coversScopes(grant, asked.scopes);

export const coversScopes = ({ scopes }: ApplicationGrant, asked: readonly string[]): boolean =>
  asked.every(scope => scopes.includes(scope));

const mostRedirectUris = 20;
const withOne = (list: readonly string[], more: readonly string[]) => [...new Set([...list, ...more])];

/** To more than before; but to what is asked for alone where the application is another one by now. */
export function consent(
  id: GrantId,
  before: ApplicationGrant | null,
  { asked, at }: { asked: AskedFor; at: Date },
): NonNullable<Decision<ApplicationGrant>> {
  const { redirectUri, ...said } = asked;
  const same = before?.documentSha256 === asked.documentSha256 ? before : null;
  const state: ApplicationGrant = {
    ...said,
    scopes: withOne(same?.scopes ?? [], asked.scopes),
    redirectUris: withOne(same?.redirectUris ?? [], [redirectUri]).slice(-mostRedirectUris),
    consentedAt: at.toISOString(),
  };
  const { documentSha256 } = asked;
  const details = { ...about(state), documentSha256, redirectUri };
  return { state, events: [event('grant.consented', { id, because: 'person_agreed', details })] };
}

export const refusal = (id: GrantId, asked: AskedFor) =>
  event('grant.refused', {
    id,
    because: 'person_refused',
    details: { ...about(asked), redirectUri: asked.redirectUri },
  });

const about = ({ userId, clientId, resource, scopes }: Subject & Pick<ApplicationGrant, 'scopes'>) => ({
  userId,
  clientId,
  resource,
  scopes,
});

export function withdraw(
  id: GrantId,
  grant: ApplicationGrant,
  { because, at }: { because: ReasonOf<'grant.withdrawn'>; at: Date },
): Decision<ApplicationGrant> {
  if (grant.withdrawnAt) return null;
  return {
    state: { ...grant, withdrawnAt: at },
    events: [
      event('grant.withdrawn', { id, because, details: about(grant) }),
      revocationDraft({ kind: 'grant', id, until: mattersUntil(at) }),
    ],
  };
}

export const applicationGrantView = z.object({
  id: z.string(),
  userId: z.string(),
  clientId: z.string().describe('The URL of what the application says of itself'),
  resource: z.string().nullable().describe('The API; null where it has access to none'),
  scopes: z.array(z.string()),
  redirectUris: z.array(z.string()),
  consentedAt: z.string().describe('When the person last agreed'),
});

export function viewOf({ id, state }: Entry<ApplicationGrant>): z.infer<typeof applicationGrantView> {
  const { withdrawnAt: _, documentSha256: __, ...shown } = state;
  return { id, ...shown };
}
