import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { countFailed, countSucceeded } from './count-sign-ins.ts';

const spans = new InMemorySpanExporter();
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] });
const signIn = { tenantId: null, connectionId: null, method: 'oidc' } as const;

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()));
beforeEach(() => spans.reset());
afterAll(() => provider.shutdown());

/** The span of a request in which this happens. */
function spanOf(happening: () => void) {
  const span = provider.getTracer('test').startSpan('GET /interaction/{uid}');
  context.with(trace.setSpan(context.active(), span), happening);
  span.end();
  return spans.getFinishedSpans()[0];
}

test('a sign-in that fails marks the span of its request with the cause, which is no error of ours', () => {
  const span = spanOf(() => countFailed(signIn, { step: 'saml_time', cause: 'clock_ahead' }));
  expect(span?.attributes).toMatchObject({ 'reeve.sign_in.outcome': 'failed', 'reeve.sign_in.cause': 'clock_ahead' });
  expect(span?.status.code).toBe(SpanStatusCode.UNSET);
});

test('where the fault is ours the span is an error as well', () => {
  const span = spanOf(() => countFailed(signIn, { step: 'internal', cause: 'internal' }));
  expect(span?.attributes).toMatchObject({ 'reeve.sign_in.outcome': 'failed' });
  expect(span?.status.code).toBe(SpanStatusCode.ERROR);
});

test('a sign-in that succeeds marks none', () => {
  const span = spanOf(() => countSucceeded(signIn));
  expect([span?.name, span?.attributes]).toEqual(['GET /interaction/{uid}', {}]);
});
