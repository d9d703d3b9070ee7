// Structured logs. A request is logged by method, path without query, status and time: query strings carry codes and
// states, bodies and headers carry the rest of what must not be in a log. Errors are logged by name, message and stack,
// never with their payloads.
import { metrics, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';

export type { Logger } from 'pino';

const lost = metrics
  .getMeter('@reeve/service-kit')
  .createCounter('reeve.log.failures', { description: 'Writes to the log that failed' });

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
  const message = withoutRows(error.message);
  // A stack begins with the message.
  const stack = error.stack?.replace(error.message, () => message);
  return { name: error.name, message, stack, ...(cause ? { cause } : {}) };
}

/** A driver's duplicate-key message quotes the row. */
function withoutRows(message: string): string {
  return message.replace(/dup key:.*$/s, 'dup key: [removed]');
}

export type LogDestination = ReturnType<typeof openLog>;

/** Standard output, written to without waiting for whoever reads it. */
export function openLog() {
  const { fd } = process.stdout;
  let giveUpAt = Number.POSITIVE_INFINITY;
  const stream = pino.destination({ fd, sync: false, retryEAGAIN: () => Date.now() < giveUpAt });
  let isFailing = false;
  // A disk that is full takes the log, and not the service.
  stream.on('error', () => {
    isFailing = true;
    lost.add(1);
  });
  stream.on('write', () => {
    isFailing = false;
  });
  return {
    fd,
    stream,

    /** Writes what is left for as long as this; nothing is written afterwards. */
    end(withinMs: number): void {
      giveUpAt = Date.now() + withinMs;
      try {
        // It would try for ever.
        if (withinMs > 0 && !isFailing) stream.flushSync();
      } catch {
        // Whoever reads it is too slow.
      }
      stream.destroy();
    },
  };
}

export function createLogger(service: string, level: string, destination: DestinationStream): Logger {
  const options: LoggerOptions = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: secretKeys.flatMap(key => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
    serializers: { err: describeError, error: describeError },
    formatters: { level: label => ({ level: label }) },
    // Names and form are OpenTelemetry's for logs that are JSON: whatever reads them finds the trace.
    mixin() {
      const span = trace.getActiveSpan()?.spanContext();
      if (!span) return {};
      const { traceId, spanId, traceFlags } = span;
      return { trace_id: traceId, span_id: spanId, trace_flags: traceFlags.toString(16).padStart(2, '0') };
    },
  };
  return pino(options, destination);
}
