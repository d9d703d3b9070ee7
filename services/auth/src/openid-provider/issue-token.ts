// An access token that a grant of our own makes (an exchange, an identity provider's word): for one API, in a session, and
// until a moment that is known before. An opaque one needs its grant to count.
import type { Cause } from '@reeve/contracts';
import type { Client, Provider } from 'oidc-provider';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import { requestScope } from './request-scope.ts';
import { formatOf } from './resource-servers.ts';

type Asked = {
  client: Client;
  accountId: string;
  grantId: string;
  gty: string;
  server: ResourceServer;
  scopes: readonly string[];
  /** In seconds since 1970. */
  now: number;
  exp: number;
  /** The key that it is bound to. */
  jkt: string | undefined;
  /** What an opaque one rests on besides its grant, which has to be there before it is. */
  keepOrigin?: () => Promise<void>;
};

export async function issueToken(
  provider: Provider,
  { client, accountId, grantId, gty, server, scopes, now, exp, jkt, keepOrigin }: Asked,
) {
  const scope = scopes.join(' ');
  const info = { scope, audience: server.identifier, accessTokenTTL: exp - now, ...formatOf(server) };
  const token = new provider.AccessToken({
    client,
    accountId,
    grantId,
    gty,
    // Said to the second: what the library adds to its own time might be one more.
    exp,
    scope,
    resourceServer: new provider.ResourceServer(server.identifier, info),
  });
  if (jkt !== undefined) token.setThumbprint('jkt', jkt);
  if (server.format === 'opaque') {
    const named = { jti: grantId, exp };
    await new provider.Grant({ ...named, accountId, clientId: client.clientId }).save();
    await keepOrigin?.();
  }
  const accessToken = await token.save();
  return {
    answer: { accessToken, expiresIn: exp - now, scope, tokenType: token.tokenType },
    /** An opaque one is its id. */
    tokenId: server.format === 'jwt' ? token.jti : null,
    expiresAt: new Date(exp * 1_000).toISOString(),
  };
}

/** Of what an application does by itself in this request. */
export function clientCause(clientId: string, more: Partial<Cause['context']>): Cause {
  const { context, correlationId } = requestScope().cause;
  return {
    actor: { type: 'client', id: clientId, name: null, via: 'client' },
    context: { ...context, clientId, ...more },
    correlationId,
  };
}
