// The trace that a request belongs to (W3C Trace Context): that of the span that is being made, where a collector wants
// spans; otherwise the one that the caller names, or a new one. So a trace id reaches the audit log at no cost when
// nobody collects.
import { randomBytes } from 'node:crypto';
import { trace } from '@opentelemetry/api';
import type { Request } from 'express';

const wellFormed = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

const known = new WeakMap<object, string>();

export function traceparentOf(request: Request): string {
  const span = trace.getActiveSpan()?.spanContext();
  if (span) return `00-${span.traceId}-${span.spanId}-0${(span.traceFlags & 1).toString(16)}`;
  const before = known.get(request);
  if (before !== undefined) return before;
  const given = request.get('traceparent') ?? '';
  const traceparent = wellFormed.test(given) ? given : newTraceparent();
  known.set(request, traceparent);
  return traceparent;
}

/** Not sampled: nobody records it. */
function newTraceparent(): string {
  const random = randomBytes(24).toString('hex');
  return `00-${random.slice(0, 32)}-${random.slice(32)}-00`;
}

export const traceIdOf = (request: Request): string => traceparentOf(request).slice(3, 35);
