// Reads an identity provider's discovery document once, through the SSRF guard, and keeps what sign-in needs of it.
import { ProblemError } from '@reeve/contracts';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import { z } from 'zod';

/** The algorithms we take for ID tokens. No symmetric one: a client secret must not be able to sign an identity. */
const idTokenAlgorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

const documentSchema = z.object({
  issuer: z.string(),
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  jwks_uri: z.url(),
  id_token_signing_alg_values_supported: z.array(z.string()).default(['RS256']),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});

/** Throws `connection_unreachable` saying what was wrong, or `url_refused`. */
export async function discover(issuer: string, guardedFetch: GuardedFetch): Promise<string> {
  const refuse = (detail: string, cause?: unknown) => new ProblemError('connection_unreachable', detail, { cause });
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  let response: Response;
  try {
    response = await guardedFetch(url, { headers: { accept: 'application/json' } });
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    if (error instanceof Error && error.cause instanceof ProblemError) throw error.cause;
    throw refuse('the discovery document could not be fetched', error);
  }
  if (response.status !== 200) throw refuse(`the discovery document was answered with status ${response.status}`);
  const parsed = documentSchema.safeParse(await response.json().catch(() => null));
  if (!parsed.success)
    throw refuse(
      `the discovery document is not valid: ${parsed.error.issues.map(issue => issue.path.join('.')).join(', ') || 'not JSON'}`,
    );
  const document = parsed.data;
  if (document.issuer !== issuer) throw refuse('the discovery document names another issuer');
  const algorithms = document.id_token_signing_alg_values_supported.filter(algorithm =>
    idTokenAlgorithms.includes(algorithm),
  );
  if (algorithms.length === 0)
    throw refuse(`none of its ID token algorithms is one of ${idTokenAlgorithms.join(', ')}`);
  return JSON.stringify({ ...document, id_token_signing_alg_values_supported: algorithms });
}
