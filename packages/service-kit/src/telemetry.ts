// OpenTelemetry for HTTP and MongoDB; Kafka spans are made in packages/event-bus, because an event's trace is that of the change it
// tells of and not of the relay that happens to publish it. Imported first (`node --import @reeve/service-kit/telemetry`),
// since instrumentation has to be in place before the instrumented modules load: the one module that works at import time.
// Exporters are chosen by the standard OTEL_* variables; without them spans are made, for their ids, and go nowhere.
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { NoopSpanProcessor } from '@opentelemetry/sdk-trace';

const quiet = new Set(['/healthz', '/readyz', '/metrics']);
const exporter = new PrometheusExporter({ preventServerStart: true });
const exported =
  process.env['OTEL_TRACES_EXPORTER'] !== undefined || process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
const sdk = new NodeSDK({
  metricReaders: [exporter],
  // Without any processor the SDK makes no spans, and then no trace id would reach the audit record.
  ...(exported ? {} : { spanProcessors: [new NoopSpanProcessor()] }),
  instrumentations: [
    new HttpInstrumentation({
      ignoreIncomingRequestHook: ({ url = '' }) => quiet.has(url),
      redactedQueryParams: ['code', 'state', 'token', 'id_token_hint', 'login_hint', 'session_state', 'request', 'iss'],
    }),
    new MongoDBInstrumentation({
      requireParentSpan: true,
      // The name of the command: its content is the tenants'.
      dbStatementSerializer: command => Object.keys(command)[0] ?? '',
    }),
  ],
});
sdk.start();

/** Serves the metrics of this process in Prometheus' text format. */
export const serveMetrics = exporter.getMetricsRequestHandler.bind(exporter);

export const stopTelemetry = () => sdk.shutdown();

export const meter = metrics.getMeter('@reeve/service-kit');
