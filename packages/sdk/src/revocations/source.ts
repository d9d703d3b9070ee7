// Where a verifier learns what is revoked. There are two: the feed of server-sent events, and the topic in Kafka.
import type { Fetch } from '../issuer.ts';

export type SourceContext = {
  issuer: string;
  fetch: Fetch;
  /** One entry as it came, not validated yet. May be told of the same one again. */
  learn: (entry: unknown) => void;
  /** Told of failures that pass by themselves. */
  onFailure: (error: unknown) => void;
};

export type RunningSource = {
  /** By how many milliseconds what is known may be behind; Infinity before everything that matters is known. */
  behindMs: () => number;
  /** Resolves when everything that matters is known for the first time. */
  caughtUp: Promise<void>;
  stop: () => Promise<void>;
};

/** Starts to listen, and goes on until it is stopped, whatever happens on the way. */
export type RevocationSource = (context: SourceContext) => RunningSource;
