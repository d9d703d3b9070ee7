// Signing somebody in at our own OpenID provider, and back to the page that they came for.
import { isId, ProblemError, type TenantId } from '@reeve/contracts';
import { createRelyingParty } from '@reeve/relying-party';
import { searchOf } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import type { Request, Response } from 'express';
import { type Cookies, sessionMs, signInMs } from './cookies.ts';
import type { OwnIssuer } from './own-issuer.ts';
import { hashOf, newSecret, type Session, sessionRecords, signInRecords } from './records.ts';

export function createSignIn({ store, issuer, cookies }: { store: Store; issuer: OwnIssuer; cookies: Cookies }) {
  const sessions = store.platformRecords(sessionRecords);
  const signIns = store.platformRecords(signInRecords);
  const relyingParty = createRelyingParty({ fetch: issuer.fetch });
  const soon = (ms: number) => new Date(store.clock.now().getTime() + ms);

  async function complete(request: Request): Promise<{ session: Omit<Session, 'csrf'>; returnTo: string }> {
    const registration = await issuer.registration();
    const { state } = request.query;
    const browser = cookies.signIn.read(request);
    if (typeof state !== 'string' || browser === null) throw new ProblemError('sign_in_expired');
    // Looked at before it is used up: another browser that comes with the same address takes nothing from its owner.
    const isOfThisBrowser = (await signIns.get(state))?.row.browser === hashOf(browser);
    const begun = isOfThisBrowser ? await signIns.take(state) : null;
    if (!begun) throw new ProblemError('sign_in_expired');
    const { claims } = await relyingParty
      .complete(registration, { pending: begun.pending, query: searchOf(request) })
      .catch((cause: unknown) => {
        throw cause instanceof ProblemError ? cause : new ProblemError('sign_in_failed', undefined, { cause });
      });
    const session = sessionOf(claims);
    // An end and not a loop: the issuer has signed this person in to another tenant.
    if (begun.tenantId !== null && begun.tenantId !== session.tenantId)
      throw new ProblemError('sign_in_failed', 'you are signed in to another organization', {
        meaning: 'other_organization',
      });
    return { session, returnTo: begun.returnTo };
  }

  return {
    /**
     * Where the browser has to go. It returns to the page that it asked for, whose path is that of a route of ours.
     */
    async begin(request: Request, response: Response, tenantId: TenantId | null): Promise<string> {
      const { url, pending } = await relyingParty.begin(await issuer.registration(), {
        scope: 'openid profile email',
        ...(tenantId === null ? {} : { extra: { tenant: tenantId } }),
      });
      // The same for every sign-in of this browser: pages in two tabs do not keep each other out.
      const browser = cookies.signIn.read(request) ?? newSecret();
      const begun = { pending, tenantId, returnTo: request.path + searchOf(request), browser: hashOf(browser) };
      await signIns.put(pending.state, begun, soon(signInMs));
      cookies.signIn.set(response, browser);
      return url;
    },

    /** Signs in whoever the issuer has sent back. Returns where they wanted to go. */
    async complete(request: Request, response: Response): Promise<string> {
      const { session, returnTo } = await complete(request);
      const former = cookies.session.read(request);
      if (former !== null) await sessions.remove(hashOf(former));
      const secret = newSecret();
      await sessions.put(hashOf(secret), { ...session, csrf: newSecret() }, soon(sessionMs));
      cookies.session.set(response, secret);
      return returnTo;
    },
  };
}

type Claims = { sub: string; tid?: unknown; sid?: unknown; name?: unknown; email?: unknown };

function sessionOf({ sub, tid, sid, name, email }: Claims): Omit<Session, 'csrf'> {
  if (!isId('user', sub) || !isId('tenant', tid) || !isId('session', sid)) throw new ProblemError('sign_in_failed');
  const shown = [name, email].find(one => typeof one === 'string' && one !== '');
  return { userId: sub, tenantId: tid, sid, name: typeof shown === 'string' ? shown : sub };
}
