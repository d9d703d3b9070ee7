// Somebody who is signed in has signed in by another connection as well: both are one person if they say so. They are
// asked on a page of ours, since an address alone, which others can have them open, would else give whoever signs in
// there their account.
import { ProblemError } from '@reeve/contracts';
import { html, type Language, type Page } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { EnforceDomain } from '../../home-realm/enforce-domain.ts';
import { textsIn } from '../../page-texts/page-texts.ts';
import type { LiveSession, LiveSessions } from '../../sessions/live-sessions.ts';
import { type ConnectionParts, connectionOf } from '../connection-of.ts';
import type { IdentityResolver } from '../identity-resolver.ts';
import { known } from '../known.ts';
import type { SignIn } from '../sign-in.ts';
import type { Step } from '../step.ts';

type Parts = ConnectionParts & {
  identities: Pick<IdentityResolver, 'link'>;
  enforceDomain: EnforceDomain;
  live: LiveSessions;
  clock: Clock;
};

/** How long ago the person may have signed in as usual. */
const longestMs = 900_000;

export const confirmLink =
  ({ identities, enforceDomain, live, clock, ...parts }: Parts): Step =>
  async ({ uid, signIn, answer, current, cause }) => {
    const { connection, at } = await connectionOf(parts, signIn, cause);
    const { tenantId, id: connectionId } = at;
    const ref = await current();
    const session = ref && (await live.find(ref));
    if (session?.tenantId !== tenantId || ageOf(session, clock.now()) > longestMs)
      throw new ProblemError('link_needs_sign_in');
    const { userId } = session.state;
    const { issuer, subject, email } = known(signIn.identity);
    // Whoever would not be let in by it afterwards is not linked to it.
    for (const address of [email, session.state.email])
      await enforceDomain.assertHere({ tenantId, connectionId, email: address });
    const said = signIn.linkTo === userId ? answer.get('link') : null;
    if (said === null)
      return { ask: asking(uid, { session, signIn, connection: connection.name }), learnt: { linkTo: userId } };
    if (said !== 'yes') throw new ProblemError('link_declined');
    const { ip, userAgent } = cause.context;
    const origin = { correlationId: cause.correlationId, ip, userAgent };
    await identities.link({ tenantId, connectionId, issuer, subject, userId, origin });
    return { next: 'resolve-person', learnt: {}, seen: { userId, sessionId: session.id } };
  };

const ageOf = ({ state }: LiveSession, now: Date): number =>
  now.getTime() - Date.parse(state.signedInAt ?? state.createdAt);

function asking(
  uid: string,
  { session, signIn, connection }: { session: LiveSession; signIn: SignIn; connection: string },
): Page {
  const { email, displayName, userId } = session.state;
  const { email: otherEmail, subject } = known(signIn.identity);
  const about = { account: email ?? displayName ?? userId, connection, person: otherEmail ?? subject };
  const words = (language: Language) => {
    const text = textsIn(language);
    const content = html`<p>${text('linkMeans', about)}</p><p><strong>${text('linkOnly')}</strong></p>
<form method="post" action="/interaction/${uid}">
<button class="primary" name="link" value="yes">${text('link')}</button>
<button name="link" value="no">${text('linkNot')}</button></form>`;
    return { title: text('linkTitle'), content };
  };
  // The answer leads on to the application.
  return { words, formAction: 'anywhere' };
}
