// Structured logs. A request is logged by method, path without query, status and time: query strings carry codes and states, bodies
// and headers carry the rest of what must not be in a log. Errors are logged by name, message and stack, never with their payloads.
import { trace } from '@opentelemetry/api';
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const secretKeys = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'client_secret',
  'clientSecret',
  'token',
  'access_token',
  'refresh_token',
  'id_token',
  'assertion',
];

function describeError(error: unknown) {
  if (!(error instanceof Error)) return { message: String(error) };
  const cause: { message: string } | undefined =
    error.cause instanceof Error ? { message: error.cause.message } : undefined;
  return { name: error.name, message: withoutRows(error.message), stack: error.stack, ...(cause ? { cause } : {}) };
}

/** A driver's duplicate-key message quotes the row. */
function withoutRows(message: string): string {
  return message.replace(/dup key:.*$/s, 'dup key: [removed]');
}

export function createLogger(service: string, level: string): Logger {
  return pino({
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretKeys.flatMap(key => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
    formatters: { level: label => ({ level: label }) },
    mixin() {
      const span = trace.getActiveSpan()?.spanContext();
      return span ? { traceId: span.traceId, spanId: span.spanId } : {};
    },
  });
}
