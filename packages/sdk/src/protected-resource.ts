// What an API says of itself to clients that have never heard of it (RFC 9728): where its tokens come from, and which
// scopes there are. A challenge of the API leads there.

export type ProtectedResourceOptions = {
  /** The `identifier` of the API, which is the verifier's audience: its URL, as clients call it. */
  resource: string;
  /** Issuers, each as it stands in its metadata. */
  authorizationServers: readonly [string, ...string[]];
  /** Those that a client may ask for. */
  scopes?: readonly string[];
  /** For people. */
  name?: string;
};

export type ProtectedResource = {
  /** Where the metadata is to be answered. */
  metadataUrl: string;
  metadata: Readonly<Record<string, unknown>>;
};

const wellKnown = '/.well-known/oauth-protected-resource';

/** Throws a TypeError for a resource that no client could ask for as it is written (RFC 8707 §2, RFC 9728 §1.2). */
export function protectedResource(options: ProtectedResourceOptions): ProtectedResource {
  const { resource, authorizationServers, scopes = [], name } = options;
  const url = URL.parse(resource);
  if (!url || !/^https?:$/.test(url.protocol) || resource.includes('#'))
    throw new TypeError('resource has to be a URL of http or https, without a fragment');
  // §3.1: between the host and the path. Only the slash of a URL that has no path falls away.
  const path = url.pathname === '/' ? '' : url.pathname;
  return {
    metadataUrl: `${url.origin}${wellKnown}${path}${url.search}`,
    metadata: {
      resource,
      authorization_servers: authorizationServers,
      bearer_methods_supported: ['header'],
      ...(scopes.length > 0 ? { scopes_supported: scopes } : {}),
      ...(name === undefined ? {} : { resource_name: name }),
    },
  };
}
