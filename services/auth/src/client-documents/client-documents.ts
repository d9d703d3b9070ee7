// Applications that nobody registered, looked up by their URL. Strangers say which URLs are fetched: so each is fetched
// through the guard, once at a time, not often from one address or at one host, and only a good document is kept.
import { ProblemError, platformTenantId, type TenantId } from '@reeve/contracts';
import type { Logger } from '@reeve/service-kit';
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import type { Clock } from '@reeve/store';
import { LRUCache } from 'lru-cache';
import type { FetchLimits } from '../abuse/fetch-limits.ts';
import type { KnownApplication } from '../applications/known-application.ts';
import { scopeNow } from '../openid-provider/request-scope.ts';
import { applicationOf } from './client-document.ts';
import { documentUrl, isAmong } from './document-id.ts';
import type { DocumentPolicyDirectory } from './document-policy-directory.ts';

type Kept = { application: KnownApplication; until: number };

type Parts = {
  policies: DocumentPolicyDirectory;
  limits: FetchLimits;
  allowedPrivateOrigins: readonly string[];
  clock: Clock;
  log: Pick<Logger, 'info'>;
};

export type ClientDocuments = ReturnType<typeof createClientDocuments>;

const longestBytes = 5 * 1_024;
const longestMs = 5_000;
const mostKept = 1_000;
const mostAtOnce = 50;
const [shortestKeptSeconds, longestKeptSeconds] = [300, 3_600];

export function createClientDocuments({ policies, limits, allowedPrivateOrigins, clock, log }: Parts) {
  const network = createGuardedNetwork({ allowedPrivateOrigins, maxBytes: longestBytes, timeoutMs: longestMs });
  const kept = new LRUCache<string, Kept>({ max: mostKept });
  const underWay = new Map<string, Promise<KnownApplication | null>>();
  const now = () => clock.now().getTime();

  async function read(url: URL): Promise<KnownApplication | null> {
    const answer = await network
      .fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual' })
      .catch((error: unknown) => ({ error }));
    // Whoever asks is told nothing of what is there and what is not.
    if ('error' in answer) return notTaken(url, { error: answer.error });
    const { status, headers } = answer;
    if (status !== 200 || !isJson(headers.get('content-type') ?? '')) return notTaken(url, { status });
    const application = applicationOf(url, await answer.text());
    if (!application) return notTaken(url, { status });
    kept.set(url.href, { application, until: now() + keptSeconds(headers) * 1_000 });
    return application;
  }

  /** What was good and is no more is a stranger's again. */
  function notTaken(url: URL, why: object): null {
    kept.delete(url.href);
    log.info({ document: url.href, ...why }, 'what an application says of itself was not taken');
    return null;
  }

  async function fetchOnce(url: URL): Promise<KnownApplication | null> {
    const waiting = underWay.get(url.href);
    if (waiting) return waiting;
    if (underWay.size >= mostAtOnce)
      throw new ProblemError('dependency_unavailable', undefined, { retryAfterSeconds: 2 });
    // What is known is asked for a few times in an hour: nobody keeps others from it.
    const asked = { ip: scopeNow()?.cause.context.ip ?? null, host: url.hostname };
    const mayFetch = kept.has(url.href) ? Promise.resolve() : limits.assertMayFetch(asked);
    const reading = mayFetch.then(() => read(url)).finally(() => underWay.delete(url.href));
    underWay.set(url.href, reading);
    return reading;
  }

  async function urlTaken(clientId: string): Promise<URL | null> {
    const url = documentUrl(clientId, allowedPrivateOrigins);
    return url && isAmong(url.hostname, (await policies.of(platformTenantId)).hosts) ? url : null;
  }

  return {
    /** As its document said an hour ago at most; null where there is none, or the platform takes none of that host. */
    async find(clientId: string): Promise<KnownApplication | null> {
      const url = await urlTaken(clientId);
      if (!url) return null;
      const known = kept.get(url.href);
      return known && known.until > now() ? known.application : fetchOnce(url);
    },

    /**
     * The same without fetching anything: with what was last read of it, or with no more than its URL, where only that
     * matters. Null where the platform takes none of that host.
     */
    async findUnread(clientId: string): Promise<KnownApplication | null> {
      const url = await urlTaken(clientId);
      return url && (kept.get(url.href)?.application ?? unread(url));
    },

    /** Whether the tenant lets its people use it. */
    async isServed(clientId: string, tenantId: TenantId): Promise<boolean> {
      const { hostname } = new URL(clientId);
      const said = await Promise.all([policies.of(platformTenantId), policies.of(tenantId)]);
      return said.every(({ hosts }) => isAmong(hostname, hosts));
    },

    /** Whether any is taken. */
    areTaken: async (): Promise<boolean> => (await policies.of(platformTenantId)).hosts.length > 0,
  };
}

/** The least that a document can say: nobody is sent anywhere by it. */
const unread = (url: URL): KnownApplication | null =>
  applicationOf(url, JSON.stringify({ client_id: url.href, redirect_uris: ['https://unread.invalid/'] }));

const isJson = (type: string) => /^application\/([\w.!#$&^-]+\+)?json *(;|$)/i.test(type);

/** Within our own bounds, whatever is said. */
export function keptSeconds(headers: Headers): number {
  const said = /(?:^|[,\s])max-age=(\d{1,10})/i.exec(headers.get('cache-control') ?? '')?.[1];
  return Math.min(Math.max(Number(said ?? 0), shortestKeptSeconds), longestKeptSeconds);
}
