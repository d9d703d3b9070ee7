import type { Message } from '@reeve/contracts';

/** Resolves when the messages are safe. When it rejects, it is not known which of them arrived. */
export type Publish = (messages: readonly Message[]) => Promise<void>;

/** `since` is the time of the oldest event. */
export type PublishedQuery = { ids: ReadonlySet<string>; topics: ReadonlySet<string>; since: Date };

/** Which of these events are on the topics already. */
export type FindPublished = (query: PublishedQuery) => Promise<ReadonlySet<string>>;

export function queryFor(messages: readonly Message[]): PublishedQuery {
  return {
    ids: new Set(messages.map(({ event }) => event.id)),
    topics: new Set(messages.map(({ topic }) => topic)),
    since: new Date(
      messages.reduce((oldest, { event }) => Math.min(oldest, Date.parse(event.time)), Number.MAX_SAFE_INTEGER),
    ),
  };
}
