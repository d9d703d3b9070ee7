// What an application that nobody registered says of itself, read as strictly as a registration: the text is a
// stranger's. Pure.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { isPublicKeySet } from '../applications/client-keys.ts';
import type { Document, KnownApplication } from '../applications/known-application.ts';
import { isLoopback } from '../loopback.ts';
import { assertPlainUrl } from '../plain-url.ts';

const redirectUri = z
  .url({ protocol: /^https?$/ })
  .max(1_000)
  .superRefine(assertPlainUrl)
  .refine(text => {
    const url = URL.parse(text);
    return url?.protocol === 'http:' || !isLoopback(url?.hostname ?? 'localhost');
  }, 'must be https elsewhere, or http on this machine');

const jwks = z
  .object({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) })
  .refine(isPublicKeySet, 'must be public keys for signatures, RSA of 2048 bit or more');

/** RFC 7591. What is not named here, as URLs of logos and policies, is neither fetched nor shown. */
const schema = z
  .looseObject({
    client_id: z.string(),
    client_name: z.string().max(200).optional(),
    redirect_uris: z.array(redirectUri).min(1).max(20),
    grant_types: z.array(z.string()).default(['authorization_code']),
    response_types: z.array(z.string()).default(['code']),
    token_endpoint_auth_method: z.enum(['none', 'private_key_jwt']).default('none'),
    jwks: jwks.optional(),
    jwks_uri: z
      .url({ protocol: /^https$/ })
      .max(1_000)
      .superRefine(assertPlainUrl)
      .optional(),
    dpop_bound_access_tokens: z.boolean().default(false),
    // Whoever holds a secret that everybody can read has none.
    client_secret: z.undefined().optional(),
    client_secret_expires_at: z.undefined().optional(),
  })
  .refine(({ grant_types: types }) => types.includes('authorization_code'))
  .refine(({ response_types: types }) => types.includes('code'))
  .refine(
    document =>
      document.token_endpoint_auth_method === 'none' ||
      (document.jwks === undefined) !== (document.jwks_uri === undefined),
  );

/** A name, and no letter to the person: of one line, and nothing that turns the words around it. */
const longestName = 60;
const plain = (text: string) =>
  Array.from(text.replaceAll(/\p{C}|\p{Zl}|\p{Zp}/gu, '').trim())
    .slice(0, longestName)
    .join('');

/** Null for what is no document, or is that of another URL. */
export function applicationOf(url: URL, text: string): (KnownApplication & { document: Document }) | null {
  const parsed = schema.safeParse(parsedJson(text));
  if (!parsed.success || parsed.data.client_id !== url.href) return null;
  const { redirect_uris: redirectUris, grant_types: types, ...said } = parsed.data;
  const { token_endpoint_auth_method: method } = said;
  const keys = {
    ...(said.jwks ? { jwks: said.jwks } : {}),
    ...(said.jwks_uri === undefined ? {} : { jwksUri: said.jwks_uri }),
  };
  const authentication = method === 'none' ? { method } : { method, ...keys };
  const name = plain(said.client_name ?? '') || null;
  const shown = JSON.stringify([name, redirectUris, authentication, said.dpop_bound_access_tokens]);
  const isOnMachine = redirectUris.some(uri => isLoopback(new URL(uri).hostname));
  const pages = redirectUris.filter(uri => uri.startsWith('https:')).map(uri => new URL(uri).origin);
  return {
    id: url.href,
    // As a native one it may listen at any port; and its people are asked each time, since any program can be it there.
    kind: isOnMachine ? 'native' : 'web',
    // What it calls itself is for the page that asks, and for no other.
    name: url.host,
    document: { host: url.host, name, sha256: createHash('sha256').update(shown).digest('hex') },
    grantTypes: grantTypesOf(types, method),
    redirectUris,
    postLogoutRedirectUris: [],
    backchannelLogoutUri: null,
    initiateLoginUri: null,
    origins: method === 'none' ? [...new Set(pages)] : [],
    authentication,
    tenantId: null,
    // Which of them is asked of the tenants' policies.
    tenants: 'all',
    isPlatform: false,
    defaultResource: null,
    defaultScopes: [],
    areas: [],
    surface: 'third_party',
    pkceRequired: true,
    dpopRequired: said.dpop_bound_access_tokens,
    securityProfile: null,
    tokensFrom: null,
    secrets: [],
  };
}

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** An identity provider vouches for people towards one that proves which it is, and towards no other. */
function grantTypesOf(types: readonly string[], method: 'none' | 'private_key_jwt'): KnownApplication['grantTypes'] {
  return [
    'authorization_code',
    ...(types.includes('refresh_token') ? (['refresh_token'] as const) : []),
    ...(types.includes(jwtBearer) && method !== 'none' ? (['jwt_bearer'] as const) : []),
  ];
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
