// What an application that nobody registered asks for: at one API, or of the person alone. Pure.
import { errors } from 'oidc-provider';
import type { KnownApplication } from '../applications/known-application.ts';
import { type ResourceServer, scopesFor } from '../resource-servers/resource-server.ts';
import type { AskedFor } from './application-grant.ts';

/** Of what OpenID Connect says of a person. Not what they may do here. */
export const personalScopes: readonly string[] = ['openid', 'profile', 'email', 'offline_access'];

type Request = { scope?: unknown; resource?: unknown; redirect_uri?: unknown };

/** The one API that it names, or null. Throws where it names several. */
export function resourceOf({ resource }: Request): string | null {
  const named = [resource].flat().filter(one => typeof one === 'string');
  if (named.length > 1) throw new errors.InvalidTarget('a token of such an application is for one API');
  return named[0] ?? null;
}

type About = {
  application: KnownApplication & { document: NonNullable<KnownApplication['document']> };
  server: ResourceServer | null;
  userId: AskedFor['userId'];
};

/** Of what it names, what it may ask for. */
export function askedFor(request: Request, { application, server, userId }: About): AskedFor {
  const scope = typeof request.scope === 'string' ? request.scope : '';
  const possible = [...personalScopes, ...((server && scopesFor(server, application)) ?? [])];
  return {
    userId,
    clientId: application.id,
    documentSha256: application.document.sha256,
    resource: resourceOf(request),
    scopes: possible.filter(one => scope.split(' ').includes(one)),
    redirectUri: String(request.redirect_uri),
  };
}
