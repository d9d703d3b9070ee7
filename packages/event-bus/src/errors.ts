/** A message that no retry can help: it goes to the dead letters with this code and reason. Neither may hold personal data. */
export class PoisonMessageError extends Error {
  readonly code: string;

  constructor(code: string, reason: string, options: { cause?: unknown } = {}) {
    super(reason, options);
    this.name = 'PoisonMessageError';
    this.code = code;
  }
}

/** kafkajs could not reach the brokers, or they were not ready: the same call may go through later. Not what a broker refuses for good. */
export function isKafkaUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || !error.name.startsWith('KafkaJS')) return false;
  const refused = error.name === 'KafkaJSProtocolError' && 'retriable' in error && error.retriable === false;
  return !refused && error.name !== 'KafkaJSNonRetriableError';
}
