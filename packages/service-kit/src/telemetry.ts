// OpenTelemetry of a service. Imported first (`node --import @reeve/service-kit/telemetry`), since instrumentation has
// to be in place before the instrumented modules load: the one module that works at import time. Metrics are always
// kept, for /metrics. Spans are made only where the standard OTEL_* variables name a collector, which then gets the
// metrics as well: without one they would cost a tenth of a sign-in, for nobody. Kafka's spans are made in
// packages/event-bus, because an event's trace is that of the change it tells of and not of the relay that happens to
// publish it.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { MongoDBInstrumentation } from '@opentelemetry/instrumentation-mongodb';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import { envDetector, hostDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationType, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { AlwaysOnSampler } from '@opentelemetry/sdk-trace';
import { publicPath } from './public-path.ts';

const { env } = process;
const hasCollector = env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
const wantsSpans =
  env['OTEL_TRACES_EXPORTER'] !== 'none' &&
  (hasCollector ||
    env['OTEL_TRACES_EXPORTER'] !== undefined ||
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] !== undefined);
const wantsMetrics =
  env['OTEL_METRICS_EXPORTER'] !== 'none' && (hasCollector || env['OTEL_EXPORTER_OTLP_METRICS_ENDPOINT'] !== undefined);

/** A service runs in its own directory, whose package.json names it and its version. */
function ownPackage(): { name: string; version: string } {
  try {
    return JSON.parse(readFileSync(join(process.cwd(), 'package.json'), 'utf8')) as { name: string; version: string };
  } catch {
    return { name: 'unknown', version: 'unknown' };
  }
}

const { name, version } = ownPackage();
/** Of every metric, span and line of the log, so that what belongs together is found. */
export const ownAttributes = {
  'service.namespace': 'reeve',
  'service.name': env['OTEL_SERVICE_NAME'] ?? name.replace('@', '').replace('/', '-'),
  'service.version': version,
  'service.instance.id': randomUUID(),
};
/**
 * The version of OpenTelemetry's semantic conventions whose names we use; infra/observability holds them against it.
 */
export const semanticConventions = '1.45.0';
const resource = resourceFromAttributes(ownAttributes, {
  schemaUrl: `https://opentelemetry.io/schemas/${semanticConventions}`,
});

/**
 * However many tenants there are: what comes after these is counted in one series, `otel_metric_overflow="true"`. It is
 * what the SDK would take as well, said here since docs/observability.md and operators' sums rest on it.
 */
const seriesOfAMetric = 2_000;

const quiet = new Set(['/healthz', '/readyz', '/metrics']);
const prometheus = new PrometheusExporter({ preventServerStart: true });
// A sample each half second is enough to see a loop that is held up, and lets an idle process rest.
const runtime = new RuntimeNodeInstrumentation({ monitoringPrecision: 500 });
/** Made only where it is wanted: an instrumentation is at work as soon as it is made. */
const tracing = () => [
  new HttpInstrumentation({
    ignoreIncomingRequestHook: ({ url = '' }) => quiet.has(url),
    // In place of the path as it came.
    startIncomingSpanHook: ({ url = '' }) => ({ 'url.path': publicPath(url) }),
    redactedQueryParams: ['code', 'state', 'token', 'id_token_hint', 'login_hint', 'session_state', 'request', 'iss'],
  }),
  new MongoDBInstrumentation({
    requireParentSpan: true,
    // The name of the command: its content is the tenants'.
    dbStatementSerializer: command => Object.keys(command)[0] ?? '',
  }),
];

const milliseconds = (name: string, fallback: number) => {
  const value = Number(env[name]);
  return value > 0 ? value : fallback;
};
// The reader of the SDK does not look at the standard variables by itself; a longer timeout it would refuse.
const exportIntervalMillis = milliseconds('OTEL_METRIC_EXPORT_INTERVAL', 60_000);
const exportTimeoutMillis = Math.min(exportIntervalMillis, milliseconds('OTEL_METRIC_EXPORT_TIMEOUT', 30_000));
const exported = { exportIntervalMillis, exportTimeoutMillis };

const sdk = new NodeSDK({
  resource,
  // Not those that would give another id, and the command line.
  resourceDetectors: [envDetector, hostDetector],
  metricReaders: [
    prometheus,
    ...(wantsMetrics ? [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(), ...exported })] : []),
  ],
  views: [
    // What requests take is measured by metrics.ts, which knows the route.
    { meterName: '@opentelemetry/instrumentation-http', aggregation: { type: AggregationType.DROP } },
    { instrumentName: 'reeve.*', aggregationCardinalityLimit: seriesOfAMetric },
  ],
  // Whoever comes may say that their trace is not sampled, and then a sign-in that fails would leave none. What is kept
  // is for the collector to choose, which sees how a request ended (infra/otel/collector.yaml).
  ...(env['OTEL_TRACES_SAMPLER'] === undefined ? { sampler: new AlwaysOnSampler() } : {}),
  instrumentations: [runtime, ...(wantsSpans ? tracing() : [])],
  ...(wantsSpans ? {} : { spanProcessors: [] }),
});
sdk.start();

/** Serves the metrics of this process in Prometheus' text format. */
export const serveMetrics = prometheus.getMetricsRequestHandler.bind(prometheus);

export const stopTelemetry = () => sdk.shutdown();
