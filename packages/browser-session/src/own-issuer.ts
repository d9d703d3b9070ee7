// Our own issuer, as a service that signs people in knows it: found at an address inside the network, named by what
// stands in metadata and tokens.
import { ProblemError } from '@reeve/contracts';
import { discover, type Fetch, type Registration } from '@reeve/relying-party';

export type OwnIssuer = {
  /** Requests to the issuer go to its address; others go nowhere. */
  fetch: Fetch;
  /** How the issuer knows this service. Throws `dependency_unavailable` while it does not answer. */
  registration(): Promise<Registration>;
};

type Parts = {
  url: string;
  address?: string | undefined;
  clientId: string;
  clientSecret: string;
  redirectUri: string;
};

const timeoutMs = 5_000;
const retryAfterSeconds = 2;

export function createOwnIssuer({ url: issuer, address = issuer, ...client }: Parts): OwnIssuer {
  const reach: Fetch = (input, init = {}) => {
    const { origin, pathname, search } = new URL(input);
    if (origin !== new URL(issuer).origin) throw new ProblemError('url_refused', 'the issuer leads elsewhere');
    // Not resolved against the address: a path that begins with two slashes names a host.
    const target = Object.assign(new URL(address), { pathname, search });
    return fetch(target, { signal: AbortSignal.timeout(timeoutMs), ...init, redirect: 'manual' });
  };
  let known: Promise<Registration> | undefined;

  return {
    fetch: reach,

    registration() {
      known ??= discover(issuer, { fetch: reach, hosts: [] })
        .then(metadata => ({ metadata, ...client }))
        .catch((cause: unknown) => {
          known = undefined;
          const options = { cause, retryAfterSeconds };
          throw new ProblemError('dependency_unavailable', 'signing in is not possible just now', options);
        });
      return known;
    },
  };
}
