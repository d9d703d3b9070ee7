// A sign-in that a page has begun, as it comes back to us in `state`: sealed, so that nobody else says where its outcome
// goes.
import type { Seal } from '../seal.ts';

type EmbedRequest = {
  /** As the page said it. */
  domain: string;
  /** Null where a person was led here without a page that waits. */
  page: { origin: string; state: string } | null;
  /** Names the browser that has begun it; null where there is no page. */
  begunBy: string | null;
  /** Of a page that was left for the sign-in. */
  returnTo: string | null;
  /** What the request says that it belongs to: it is of use with no other. */
  clientId: string;
  codeChallenge: string;
  jkt: string;
  /** In ms since 1970. */
  until: number;
};

export type EmbedRequests = Seal<EmbedRequest>;
