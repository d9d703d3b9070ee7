// What kafkajs says, as lines of our log. All that fails there is tried again, so there is no error among it; and
// since it says so at each attempt, with the same words on every connection, a line is written once a minute.

import { type LogEntry, logLevel } from 'kafkajs';
import { LRUCache } from 'lru-cache';

export type Log = (level: 'error' | 'warn' | 'info' | 'debug', message: string, about: Record<string, unknown>) => void;

const sayAgainMs = 60_000;
const rememberedLines = 200;

/** Members that come and go are how a group works; that retries have an end is meant. */
const ordinary = [
  /rebalanc|rejoin|resync group/i,
  /not aware of this member|generation id is not valid/,
  /^Limiting retries for the idempotent producer/,
];

/** `expected` is what was brought about, such as the end of a connection. */
export function kafkaLog(log: Log): (entry: LogEntry, about: { expected: boolean }) => void {
  const said = new LRUCache<string, true>({ max: rememberedLines, ttl: sayAgainMs });
  return ({ level, log: content }, { expected }) => {
    const { message, timestamp: _, logger: __, stack: ___, ...about } = content;
    const text = `${message} ${typeof about['error'] === 'string' ? about['error'] : ''}`;
    const quiet = level > logLevel.WARN || expected || ordinary.some(one => one.test(text)) || said.has(text);
    if (!quiet) said.set(text, true);
    log(quiet ? 'debug' : 'warn', message, { ...about, from: 'kafkajs' });
  };
}
