import type { Message } from '@reeve/contracts';

/**
 * Resolves when the messages are safe. When it rejects, it is not known which of them arrived. None of them is sent
 * after `before` (milliseconds since the epoch): from then on another process may publish them.
 */
export type Publish = (messages: readonly Message[], options: { before: number }) => Promise<void>;

/** `since` is the time of the oldest event. */
export type PublishedQuery = { ids: ReadonlySet<string>; topics: ReadonlySet<string>; since: Date };

/** Which of these events are on the topics already. */
export type FindPublished = (query: PublishedQuery) => Promise<ReadonlySet<string>>;

/** How a store is published. */
export type Publishing = {
  publish: Publish;
  /** Tells a broker that is away from a message that it will never take. */
  isTransient?: (error: unknown) => boolean;
  /**
   * Asked before anything is published whose fate is not known, so that each event comes out once, whatever crashed in
   * between. Journals need it; for outboxes it is a choice: without it an event may come out twice with the same id,
   * and recovery is quicker.
   */
  findPublished: FindPublished;
  once: boolean;
};

export function queryFor(messages: readonly Message[]): PublishedQuery {
  return {
    ids: new Set(messages.map(({ event }) => event.id)),
    topics: new Set(messages.map(({ topic }) => topic)),
    since: new Date(
      messages.reduce((oldest, { event }) => Math.min(oldest, Date.parse(event.time)), Number.MAX_SAFE_INTEGER),
    ),
  };
}
