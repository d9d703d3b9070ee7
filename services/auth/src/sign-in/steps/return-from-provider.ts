import { ProblemError } from '@reeve/contracts';
import { type Seen, StepError } from '@reeve/relying-party';
import type { UpstreamIdentity } from '../../connections/kinds/kind.ts';
import { claimsWanted, type MappedIdentity, mapIdentity } from '../../connections/mapping.ts';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { SignIn } from '../sign-in.ts';
import type { Step } from '../step.ts';
import { broughtHere } from '../ticket.ts';

const skewMs = 60_000;
const longestText = 2_000;

/** Who the identity provider says it is. */
export const returnFromProvider =
  (parts: ConnectionParts): Step =>
  async ({ signIn, search, returnedBy, cause }) => {
    // The callback that it came to is that of the connection that it was sent to.
    if (returnedBy !== signIn.connectionId) throw new ProblemError('sign_in_expired');
    const brought = broughtHere(signIn, search);
    const { kind, connection, at } = await connectionOf(parts, signIn, cause);
    const said = await kind.complete(at, {
      pending: signIn.pending,
      brought,
      wantedClaims: claimsWanted(connection),
    });
    const identity = mapIdentity(connection, said);
    const isTooOld = signIn.wish.isDemanded && isFromBefore(signIn, identity.authenticatedAt);
    if (isTooOld || isOlderThanWished(signIn, identity.authenticatedAt)) throw new StepError('authentication_too_old');
    return {
      next: signIn.linkAsked ? 'confirm-link' : 'resolve-person',
      learnt: { identity, said: rehearsable(said), pending: null, brought: null, broughtBy: null },
      seen: seenIn(said, identity),
    };
  };

const rehearsable = ({ issuer, subject, email, emailVerified, displayName, claims }: UpstreamIdentity) => ({
  issuer,
  subject,
  email,
  emailVerified,
  displayName,
  claims,
});

/** Where an age was asked for; a provider that does not say when the person signed in cannot be said to heed it. */
function isOlderThanWished({ wish: { maxAgeSeconds } }: SignIn, authenticatedAt: string | null): boolean {
  if (maxAgeSeconds === undefined) return false;
  return authenticatedAt === null || Date.parse(authenticatedAt) < Date.now() - maxAgeSeconds * 1_000 - skewMs;
}

/** Names of what was said, and the values of what we go by. */
function seenIn({ claims, claimsDropped }: UpstreamIdentity, identity: MappedIdentity): Seen {
  const { issuer, subject, email, emailVerified, displayName, acr, amr, authenticatedAt } = identity;
  const known = { issuer, subject, email, emailVerified, displayName, acr, amr: amr.join(' '), authenticatedAt };
  const names = Object.keys(claims).join(' ').slice(0, longestText);
  return { ...known, claims: names, ...(claimsDropped.length > 0 ? { dropped: claimsDropped.length } : {}) };
}

/** Where somebody had to sign in once more: whether the provider has let them pass with an earlier sign-in. */
function isFromBefore({ startedAt }: SignIn, authenticatedAt: string | null): boolean {
  return authenticatedAt !== null && Date.parse(authenticatedAt) < Date.parse(startedAt) - skewMs;
}
