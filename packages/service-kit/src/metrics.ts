// What is measured of every request and of the process, beside what the parts measure of themselves.
import { metrics } from '@opentelemetry/api';
import type { Request, Response } from 'express';

const meter = metrics.getMeter('@reeve/service-kit');
const duration = meter.createHistogram('http.server.request.duration', {
  unit: 's',
  description: 'From the first byte of a request to the end of its answer',
  advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
});

const active = meter.createUpDownCounter('http.server.active_requests', {
  description: 'Requests that are being answered',
});

/**
 * Measures the request when its answer is out: by method, route and status, as OpenTelemetry's conventions name them.
 */
export function measure(request: Request, response: Response): void {
  const began = performance.now();
  const method = { 'http.request.method': request.method };
  active.add(1, method);
  // Also of a caller that has gone before its answer.
  response.once('close', () => active.add(-1, method));
  response.once('finish', () => {
    const route = response.locals['route'] as string | undefined;
    duration.record((performance.now() - began) / 1_000, {
      ...method,
      'http.response.status_code': response.statusCode,
      ...(route === undefined ? {} : { 'http.route': route }),
    });
  });
}
