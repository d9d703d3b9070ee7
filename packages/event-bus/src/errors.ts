import { setTimeout as pause } from 'node:timers/promises';

/**
 * A message that no retry can help: it goes to the dead letters with this code and reason. Neither may hold personal
 * data.
 */
export class PoisonMessageError extends Error {
  readonly code: string;

  constructor(code: string, reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.name = 'PoisonMessageError';
    this.code = code;
  }
}

/** What was to be published until a certain moment was not acknowledged by then. Some of it may have arrived. */
export class PublishDeadlineError extends Error {
  constructor() {
    super('not acknowledged in the time that there was for it');
    this.name = 'PublishDeadlineError';
  }
}

type KafkaJsError = Error & { retriable?: boolean; type?: string };

const isKafkaJsError = (error: unknown): error is KafkaJsError =>
  error instanceof Error && error.name.startsWith('KafkaJS');

/**
 * kafkajs could not reach the brokers, or they were not ready: the same call may go through later. Not what a broker
 * refuses for good.
 */
export function isKafkaUnavailable(error: unknown): boolean {
  if (error instanceof PublishDeadlineError) return true;
  if (!isKafkaJsError(error)) return false;
  // What it gave up on is wrapped, also when that may pass.
  if (isKafkaJsError(error.cause)) return isKafkaUnavailable(error.cause);
  // A login that is refused says nothing of the message.
  if (error.name === 'KafkaJSProtocolError') return error.retriable === true || error.type?.includes('SASL') === true;
  return error.name !== 'KafkaJSNonRetriableError';
}

const loadingWithinMs = 30_000;
const lookAgainMs = 200;

/**
 * Joins a group, again while its coordinator is loading, as that of a broker is that has just started: kafkajs gives
 * that up at once.
 */
export async function whenLoaded<T>(join: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + loadingWithinMs;
  for (;;) {
    try {
      return await join();
    } catch (error) {
      const isLoading = isKafkaJsError(error) && error.type === 'GROUP_LOAD_IN_PROGRESS';
      if (!isLoading || Date.now() > giveUpAt) throw error;
      await pause(lookAgainMs);
    }
  }
}
