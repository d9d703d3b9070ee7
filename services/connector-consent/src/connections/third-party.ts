// The third party of a connector, as an OAuth client sees it: where a person is sent, and what came of it. Through
// the SSRF guard, and to no other hosts than the catalogue names.
import { ProblemError } from '@reeve/contracts';
import {
  createRelyingParty,
  discover,
  type Fetch,
  type Pending,
  type Registration,
  type ServerMetadata,
  StepError,
} from '@reeve/relying-party';
import type { Connector } from '../catalogue/catalogue.ts';
import type { TokenSet } from '../delegated-tokens/delegated-tokens.ts';

export type ThirdParty = ReturnType<typeof createThirdParty>;

type Obtained = { set: TokenSet; grantedScopes: string[]; expiresInSeconds: number | null };
type Returned = { pending: Pending; query: string; scopes: readonly string[] };

const metadataKeptMs = 300_000;
const retryAfterSeconds = 30;
/** Whatever the third party says: a date further on is no date. */
const longestSeconds = 31_536_000;

export function createThirdParty({ fetch, redirectUri }: { fetch: Fetch; redirectUri: string }) {
  const relyingParty = createRelyingParty({ fetch });
  const known = new Map<string, { metadata: Promise<ServerMetadata>; until: number }>();

  function metadataOf({ id, oauth: { issuer, hosts } }: Connector): Promise<ServerMetadata> {
    const found = known.get(id);
    if (found && found.until > Date.now()) return found.metadata;
    const metadata = discover(issuer, { fetch, hosts }).catch((cause: unknown) => {
      known.delete(id);
      const options = { cause, retryAfterSeconds };
      throw new ProblemError('dependency_unavailable', 'the service that the connector uses does not answer', options);
    });
    known.set(id, { metadata, until: Date.now() + metadataKeptMs });
    return metadata;
  }

  async function registrationOf(connector: Connector): Promise<Registration> {
    const { clientId, clientSecret } = connector.oauth;
    return { metadata: await metadataOf(connector), clientId, clientSecret, redirectUri };
  }

  return {
    async begin(connector: Connector, scopes: readonly string[]): Promise<{ url: string; pending: Pending }> {
      return relyingParty.begin(await registrationOf(connector), { scope: scopes.join(' ') });
    },

    /**
     * `refused` when the person said no there. Throws `sign_in_failed` for an answer that is not to this request, or
     * gives more than was consented to.
     */
    async complete(connector: Connector, { pending, query, scopes }: Returned): Promise<Obtained | 'refused'> {
      const { name } = connector;
      const granted = await relyingParty
        .completeAccess(await registrationOf(connector), { pending, query })
        .catch((cause: unknown) => {
          if (isRefusal(cause, query)) return null;
          throw new ProblemError('sign_in_failed', `${name} did not give access`, { cause });
        });
      if (!granted) return 'refused';
      const { accessToken, refreshToken, expiresInSeconds, scope } = granted;
      // RFC 6749 §5.1: a missing scope means what was asked for.
      const grantedScopes = scope === null ? [...scopes] : scope.split(' ').filter(one => one !== '');
      if (grantedScopes.some(one => !scopes.includes(one)))
        throw new ProblemError('sign_in_failed', `${name} gave more than was consented to`);
      return {
        set: { accessToken, refreshToken },
        grantedScopes,
        expiresInSeconds: expiresInSeconds === null ? null : Math.min(Math.floor(expiresInSeconds), longestSeconds),
      };
    },
  };
}

/** Of all errors that a server can send back with the browser, this one is the person's own answer. */
const isRefusal = (error: unknown, query: string): boolean =>
  error instanceof StepError &&
  error.step === 'refused_by_provider' &&
  new URLSearchParams(query).get('error') === 'access_denied';
