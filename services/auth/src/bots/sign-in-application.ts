// The application by which people sign in on the way from a card in a chat. Its code is of no use to anybody, since the
// verifier that it is bound to is thrown away: what is wanted is that the browser is signed in, by the identity provider
// of the bot's connection.
import type { Application } from '../applications/application.ts';
import { nobodysChallenge } from '../nobodys-challenge.ts';

const signInClientId = 'reeve-bot-sign-in';
export const signedInPath = '/bot/signed-in';
/** Of browsers on that way, and of sessions that bots have of people. */
export const botSurface = 'bot';

type Own = 'kind' | 'name' | 'grantTypes' | 'redirectUris' | 'authentication' | 'areas' | 'surface';

export function signInApplication(issuer: string): Pick<Application, Own> & { id: string } {
  return {
    id: signInClientId,
    kind: 'single_page',
    name: 'Reeve sign-in at bots',
    grantTypes: ['authorization_code'],
    redirectUris: [issuer + signedInPath],
    authentication: { method: 'none' },
    areas: [],
    surface: botSurface,
  };
}

export function signInUrl(issuer: string, to: { tenantId: string; connectionId: string; ticket: string }): string {
  const query = new URLSearchParams({
    client_id: signInClientId,
    redirect_uri: issuer + signedInPath,
    response_type: 'code',
    scope: 'openid',
    state: to.ticket,
    tenant: to.tenantId,
    connection: to.connectionId,
    code_challenge: nobodysChallenge(),
    code_challenge_method: 'S256',
  });
  return `${issuer}/auth?${query}`;
}
