// The application by which people sign in to see the account pages. Its code is of no use to anybody, since the
// verifier that it is bound to is thrown away: what is wanted is that the browser is signed in.
import { createHash, randomBytes } from 'node:crypto';
import type { Application } from '../applications/application.ts';

export const accountClientId = 'reeve-account';
export const signedInPath = '/account/signed-in';

/** Pages that somebody may want to see; nobody is sent elsewhere. */
export const pages = { account: '/account', sessions: '/admin/sessions' } as const;
export type PageName = keyof typeof pages;

export const accountSurface = 'account';

type Own = 'kind' | 'name' | 'grantTypes' | 'redirectUris' | 'authentication' | 'areas' | 'surface';

export function accountApplication(issuer: string): Pick<Application, Own> & { id: string } {
  return {
    id: accountClientId,
    kind: 'single_page',
    name: 'Reeve account',
    grantTypes: ['authorization_code'],
    redirectUris: [issuer + signedInPath],
    authentication: { method: 'none' },
    areas: [],
    surface: accountSurface,
  };
}

/** Where a browser goes to be signed in, at a level and once more where that is needed, and from there to that page. */
export function signInUrl(
  issuer: string,
  page: PageName,
  { acrValues, isAnew }: { acrValues: string | null; isAnew: boolean } = { acrValues: null, isAnew: false },
): string {
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  const query = new URLSearchParams({
    client_id: accountClientId,
    redirect_uri: issuer + signedInPath,
    response_type: 'code',
    scope: 'openid',
    state: page,
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...(acrValues === null ? {} : { acr_values: acrValues }),
    // Not by `max_age`: it is for providers that say when somebody has signed in.
    ...(isAnew ? { prompt: 'login' } : {}),
  });
  return `${issuer}/auth?${query}`;
}
