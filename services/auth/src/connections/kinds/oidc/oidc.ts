// OpenID Connect. What was discovered is pinned when the connection is made: a later change of the discovery document
// cannot move our users to other endpoints or keys. The client secret, or our private key, is in the vault.
import { ProblemError } from '@reeve/contracts';
import {
  type Client,
  createRelyingParty,
  discover,
  type Fetch,
  isOfManyDirectories,
  type Pending,
  type Wanted,
} from '@reeve/relying-party';
import { openRoute } from '@reeve/service-kit';
import * as client from 'openid-client';
import { z } from 'zod';
import type { Stage } from '../checks.ts';
import type { At, ConnectionKind, Wish } from '../kind.ts';
import type { ReadSecret } from '../secret.ts';
import { clausesOf } from './clauses.ts';
import { credentialOf } from './client-key.ts';
import { identityOf } from './identity.ts';
import {
  authorityOf,
  change,
  input,
  prepared,
  restored,
  type Settings,
  scopeOf,
  settingsOf,
  view,
} from './settings.ts';

const jwkSetType = 'application/jwk-set+json';
/** An identity provider that keeps them longer does not see a new one. */
const keysKeptSeconds = 60;

type Parts = { readSecret: ReadSecret; fetch: Fetch; ownIssuer: string };

export function oidc({ readSecret, fetch, ownIssuer }: Parts): ConnectionKind {
  const relyingParty = createRelyingParty({ fetch });
  const callbackPath = (connectionId: string) => `/oidc/${connectionId}/callback`;
  const keysPath = (connectionId: string) => `/oidc/${connectionId}/jwks`;

  function clientOf({ id }: At, { metadata, clientId, entraTenants }: Settings): Client {
    const directories = entraTenants === undefined ? {} : { directories: entraTenants };
    return { metadata, clientId, redirectUri: ownIssuer + callbackPath(id), ...directories };
  }

  return {
    input,
    change,
    view,

    prepare: (given, current) => prepared(given, current === null ? null : settingsOf(current), fetch),

    viewOf(stored, connectionId) {
      const settings = settingsOf(stored);
      const { clientId, clientKey, scopes, entraTenants, clientSecretExpiresAt } = settings;
      return {
        issuer: authorityOf(settings),
        clientId,
        ...(clientKey === undefined ? {} : { jwksUri: ownIssuer + keysPath(connectionId) }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(entraTenants === undefined ? {} : { entraTenants }),
        ...(clientSecretExpiresAt === undefined ? {} : { clientSecretExpiresAt }),
      };
    },

    async begin(at, { signInId, wish }) {
      const settings = settingsOf(at.settings);
      const { loginHint, maxAgeSeconds, acrValues, uiLocales } = wish;
      const prompt = promptOf(wish);
      const { url, pending } = await relyingParty.begin(clientOf(at, settings), {
        scope: scopeOf(settings),
        state: `${signInId}.${client.randomState()}`,
        ...(prompt === null ? {} : { prompt }),
        ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
        ...(loginHint === undefined ? {} : { loginHint }),
        ...(acrValues === undefined ? {} : { acrValues }),
        ...(uiLocales === undefined ? {} : { uiLocales }),
      });
      return { leaveFor: url, pending };
    },

    async complete(at, { pending, brought, wantedClaims }) {
      const settings = settingsOf(at.settings);
      const registration = { ...clientOf(at, settings), ...credentialOf(await readSecret(at), settings.clientKey) };
      const { claims } = await relyingParty.complete(registration, {
        pending: pending as Pending,
        query: brought,
        ...(wantedClaims === undefined ? {} : { wantedClaims }),
      });
      return identityOf(claims, settings);
    },

    async readBrought(at, { parties, ...brought }) {
      const settings = settingsOf(at.settings);
      const { metadata, clientId, entraTenants } = settings;
      const from = { metadata, ...(entraTenants === undefined ? {} : { directories: entraTenants }) };
      const claims = await relyingParty.readBrought(from, { ...brought, parties: [...parties, clientId] });
      return identityOf(claims as client.IDToken, settings);
    },

    callbackPath,

    callbackMethod: 'get',

    signInIdOf(brought) {
      const [state, ...others] = brought.getAll('state');
      return (others.length === 0 ? /^([\w-]{10,60})\./.exec(state ?? '')?.[1] : null) ?? null;
    },

    routes: find => [
      openRoute({
        method: 'get',
        path: '/oidc/{connectionId}/jwks',
        summary: 'The public keys by which a connection signs what it sends to its identity provider (RFC 7517)',
        open: 'a public key is for everybody: an identity provider that verifies what we sign need not be known here',
        answer: 'bytes',
        response: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }),
        produces: [jwkSetType],
        async handle({ params: { connectionId } }) {
          const at = await find(connectionId);
          const key = at && settingsOf(at.settings).clientKey;
          if (!key) throw new ProblemError('not_found');
          return {
            stream(response) {
              response.setHeader('Cache-Control', `public, max-age=${keysKeptSeconds}`);
              response.type(jwkSetType).send(JSON.stringify({ keys: [key] }));
            },
          };
        },
      }),
    ],

    signals: {
      ourName: stored => settingsOf(stored).clientId,
      keys(stored) {
        const { issuer, jwks_uri: jwksUri } = settingsOf(stored).metadata;
        return isOfManyDirectories(issuer) ? null : { issuer, jwksUri };
      },
      read: (at, signed) => relyingParty.readSigned(settingsOf(at.settings).metadata, signed),
    },

    checks,

    async test(stored) {
      const settings = settingsOf(stored);
      const { metadata } = settings;
      const now = await discover(authorityOf(settings), { fetch, manyDirectories: true });
      const moved = (Object.keys(metadata) as (keyof typeof metadata)[]).filter(
        name => /_endpoint$|^jwks_uri$/.test(name) && now[name] !== metadata[name],
      );
      if (moved.length > 0)
        throw new ProblemError(
          'connection_unreachable',
          `the discovery document has another ${moved.join(', ')} than when the connection was made; set the issuer again to take it`,
        );
      const keys = await fetch(metadata.jwks_uri).catch(() => null);
      if (keys?.status !== 200) throw new ProblemError('connection_unreachable', 'its keys could not be fetched');
    },

    clauses: stored => clausesOf(settingsOf(stored)),

    expiries(stored) {
      const { clientId, clientSecretExpiresAt } = settingsOf(stored);
      if (clientSecretExpiresAt === undefined) return [];
      return [{ what: 'client_secret', name: clientId, at: new Date(clientSecretExpiresAt), isRenewed: false }];
    },

    restore: (former, current) => restored(settingsOf(former), settingsOf(current)),
  };
}

const checks: readonly Stage[] = [
  { returned: ['response_mismatch'], accepted: ['refused_by_provider'] },
  {
    exchanged: [
      'provider_unreachable',
      'provider_timeout',
      'provider_url_refused',
      'provider_response',
      'code_exchange',
      'id_token_missing',
    ],
  },
  { addressed: ['id_token_claims'] },
  { signed: ['id_token_signature', 'id_token_type'] },
  { timely: ['id_token_time'], bound: ['access_token_hash'], named: ['subject_missing'] },
  { userInfo: ['user_info'] },
];

/** Whether a person agrees there, or nothing may be shown there, is not for an application of ours to ask. */
function promptOf({ again, selectAccount = false }: Wish): NonNullable<Wanted['prompt']> | null {
  if (again && selectAccount) return 'login select_account';
  if (again) return 'login';
  return selectAccount ? 'select_account' : null;
}
