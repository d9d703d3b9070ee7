// The third party of a connector, as an OAuth client sees it: where a person who has consented is sent, what is kept
// until they return, and what came of it. Through the SSRF guard, and to no other hosts than the catalogue names.
import { type Id, ProblemError, type TenantId } from '@reeve/contracts';
import {
  createRelyingParty,
  discover,
  type Fetch,
  type Pending,
  type Registration,
  type ServerMetadata,
  StepError,
} from '@reeve/relying-party';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { Connector } from '../catalogue/catalogue.ts';
import type { TokenSet } from '../delegated-tokens/delegated-tokens.ts';

export type ThirdParty = ReturnType<typeof createThirdParty>;

/** What somebody was sent there for. */
type SentFor = {
  browserSessionId: string;
  tenantId: TenantId;
  installationId: Id<'installation'>;
  consentId: Id<'consent'>;
  /** The answer that this goes back to: another one since then makes it void. */
  consentVersion: number;
};
type PendingConnection = SentFor & { pending: Pending };

/** Bound to the browser that they left from, and used once. */
export const pendingConnections = platformRecords<PendingConnection>({
  name: 'pending_connections',
  reason: 'a third party returns nothing but `state`',
});

type Parts = {
  fetch: Fetch;
  redirectUri: string;
  pendingConnections: PlatformRecords<PendingConnection>;
  clock: Clock;
};
type Obtained = { set: TokenSet; grantedScopes: string[]; expiresInSeconds: number | null };
type Returned = { pending: Pending; query: string; scopes: readonly string[] };

const pendingConnectionMs = 600_000;
const metadataKeptMs = 300_000;
const retryAfterSeconds = 30;
/** Whatever the third party says: a date further on is no date. */
const longestSeconds = 31_536_000;

export function createThirdParty({ fetch, redirectUri, pendingConnections: pendingOnes, clock }: Parts) {
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
    /** Where to send the browser. */
    async begin(connector: Connector, scopes: readonly string[], sentFor: SentFor): Promise<string> {
      const { url, pending } = await relyingParty.begin(await registrationOf(connector), { scope: scopes.join(' ') });
      const expiresAt = new Date(clock.now().getTime() + pendingConnectionMs);
      await pendingOnes.put(pending.state, { ...sentFor, pending }, expiresAt);
      return url;
    },

    /** Throws `consent_expired`. */
    async tenantOf(state: unknown): Promise<TenantId> {
      const found = typeof state === 'string' ? await pendingOnes.get(state) : null;
      if (!found) throw new ProblemError('consent_expired');
      return found.row.tenantId;
    },

    /**
     * Looked at before it is used up: another browser that comes with the same address takes nothing from its owner.
     * Throws `consent_expired`.
     */
    async take(state: string, browserSessionId: string): Promise<PendingConnection> {
      const found = await pendingOnes.get(state);
      const isOfThisBrowser = found?.row.browserSessionId === browserSessionId;
      const taken = isOfThisBrowser ? await pendingOnes.take(state) : null;
      if (!taken) throw new ProblemError('consent_expired');
      return taken;
    },

    /**
     * `refused` when the person said no there. Throws `sign_in_failed` for an answer that is not to this request,
     * gives nothing, or gives more than was consented to.
     */
    async complete(connector: Connector, { pending, query, scopes }: Returned): Promise<Obtained | 'refused'> {
      const { name } = connector;
      const granted = await relyingParty
        .completeAccess(await registrationOf(connector), { pending, query })
        .catch((cause: unknown) => {
          if (isRefusal(cause, query)) return null;
          throw new ProblemError('sign_in_failed', `${name} did not give access`, { cause, meaning: 'no_access' });
        });
      if (!granted) return 'refused';
      const { accessToken, refreshToken, expiresInSeconds, scope } = granted;
      // RFC 6749 §5.1: a missing scope means what was asked for.
      const grantedScopes = scope === null ? [...scopes] : scope.split(' ').filter(one => one !== '');
      if (grantedScopes.length === 0)
        throw new ProblemError('sign_in_failed', `${name} gave access to nothing`, { meaning: 'nothing_granted' });
      if (grantedScopes.some(one => !scopes.includes(one)))
        throw new ProblemError('sign_in_failed', `${name} gave more than was consented to`, {
          meaning: 'too_much_granted',
        });
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
