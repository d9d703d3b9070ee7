import { type Context, context, type Link, propagation, trace } from '@opentelemetry/api';

/** The trace that an event belongs to, as a context to continue it in. */
export const contextOf = (traceparent: string | undefined): Context =>
  propagation.extract(context.active(), { traceparent });

/**
 * A link to each of the traces that a batch comes from, up to `most`. Several events may belong to one, which is read
 * once.
 */
export function linksTo(events: readonly { traceparent?: string | undefined }[], most: number): Link[] {
  const distinct = [...new Set(events.map(({ traceparent }) => traceparent))].slice(0, most);
  return distinct.flatMap(traceparent => {
    const remote = trace.getSpanContext(contextOf(traceparent));
    return remote ? [{ context: remote }] : [];
  });
}
