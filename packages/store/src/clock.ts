/** What is neither pure nor ours: time and fresh event ids. Passed in, so that a test can hold them still. */
export type Clock = { now(): Date; newEventId(): string };
