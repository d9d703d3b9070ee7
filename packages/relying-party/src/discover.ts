// What an authorization server says of itself (OpenID Connect Discovery, RFC 8414), read once and kept: whoever stores
// it is not moved to other endpoints or keys by a later change of the document.
import { ProblemError } from '@reeve/contracts';
import { z } from 'zod';
import { isAuthorityOf } from './directories.ts';

/**
 * The algorithms that we take for ID tokens. No symmetric one: a client secret must not be able to sign an identity.
 */
const idTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519'];

const endpoint = z.url({ protocol: /^https?$/ });

export const serverMetadata = z.object({
  issuer: z.string(),
  authorization_endpoint: endpoint,
  token_endpoint: endpoint,
  jwks_uri: endpoint,
  userinfo_endpoint: endpoint.exactOptional(),
  id_token_signing_alg_values_supported: z.array(z.string()).default(['RS256']),
  authorization_response_iss_parameter_supported: z.boolean().exactOptional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).exactOptional(),
  token_endpoint_auth_signing_alg_values_supported: z.array(z.string()).exactOptional(),
});

export type ServerMetadata = z.infer<typeof serverMetadata>;

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

type Options = {
  fetch: Fetch;
  /**
   * Where the endpoints may be besides the issuer's own host; anywhere when it is left out, for who stores what was
   * found.
   */
  hosts?: readonly string[];
  /** An issuer of many directories is taken as well, by whoever asks then which they are (directories.ts). */
  manyDirectories?: boolean;
};

const refused = (detail: string, cause?: unknown) => new ProblemError('connection_unreachable', detail, { cause });

/** Throws `connection_unreachable` saying what was wrong, or `url_refused`. */
export async function discover(issuer: string, { fetch, ...expected }: Options): Promise<ServerMetadata> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { headers: { accept: 'application/json' } }).catch((error: unknown) => {
    if (error instanceof ProblemError) throw error;
    if (error instanceof Error && error.cause instanceof ProblemError) throw error.cause;
    throw refused('the discovery document could not be fetched', error);
  });
  if (response.status !== 200) throw refused(`the discovery document was answered with status ${response.status}`);
  const parsed = serverMetadata.safeParse(await response.json().catch(() => null));
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(issue => issue.path.join('.')).join(', ');
    throw refused(`the discovery document is not valid: ${wrong || 'not JSON'}`);
  }
  return checked(parsed.data, issuer, expected);
}

function checked(
  metadata: ServerMetadata,
  issuer: string,
  { hosts, manyDirectories = false }: Omit<Options, 'fetch'>,
): ServerMetadata {
  if (metadata.issuer !== issuer && !(manyDirectories && isAuthorityOf(metadata.issuer, issuer)))
    throw refused('the discovery document names another issuer');
  const own = new URL(issuer);
  const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint } = metadata;
  const endpoints = { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint };
  for (const [name, text] of Object.entries(endpoints)) {
    if (text === undefined) continue;
    const { protocol, host, username, hash } = new URL(text);
    // An issuer without TLS has been let through by the guard, for tests on this machine.
    if (protocol !== 'https:' && protocol !== own.protocol) throw refused(`${name} is not https`);
    if (username !== '' || hash !== '') throw refused(`${name} holds what no endpoint has`);
    if (hosts && host !== own.host && !hosts.includes(host)) throw refused(`${name} is on another host: ${host}`);
  }
  const algorithms = metadata.id_token_signing_alg_values_supported.filter(one => idTokenAlgorithms.includes(one));
  if (algorithms.length === 0)
    throw refused(`none of its ID token algorithms is one of ${idTokenAlgorithms.join(', ')}`);
  return { ...metadata, id_token_signing_alg_values_supported: algorithms };
}
