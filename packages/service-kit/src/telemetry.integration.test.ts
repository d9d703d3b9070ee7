// What a service says of itself while it runs: its log, its metrics, and what a collector gets of both.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@reeve/local/ports';
import { eventually, listen } from '@reeve/testing';
import { endSamples, type Line, linesOf, startSample } from './sample-process.test-support.ts';

/** Of three routes: one as most are, one that fails, and one in the fast lane. It needs no engines for them. */
const create = `(config, log) => {
  const { store, verifyToken } = kit.createFoundation('sample', config, { log, contents: {} });
  const open = { open: 'a test', answer: 'json' };
  const lane = kit.openRoute({ ...open, method: 'post', path: '/lane/{name}', summary: 'Load', handle: async () => ({ body: 1 }) });
  const about = { name: 'sample', purpose: 'Is there for tests.', config, log, store, verifyToken };
  const app = kit.createApp({
    ...about,
    tenants: kit.createTenantDirectory(store),
    ready: async () => undefined,
    fastLane: {
      route: lane,
      handlerFor: path => path.startsWith('/lane/') ? (_request, response) => response.status(202).end() : null,
    },
    routes: [
      lane,
      kit.openRoute({ ...open, method: 'get', path: '/things/{name}', summary: 'Read', handle: async () => ({ body: {} }) }),
      kit.openRoute({ ...open, method: 'get', path: '/setup/{setupLink}', summary: 'Set up', handle: async () => ({ body: {} }) }),
      kit.openRoute({ ...open, method: 'get', path: '/fails', summary: 'Fail', handle: () => Promise.reject(new Error('why')) }),
      kit.openRoute({ ...open, method: 'get', path: '/tenants', summary: 'Count', handle: async () => {
        const { metrics } = await import('@opentelemetry/api');
        const counter = metrics.getMeter('@reeve/sample').createCounter('reeve.sample');
        for (let tenant = 0; tenant < 5_000; tenant += 1) counter.add(1, { tenant });
        return { body: {} };
      } }),
      kit.openRoute({ ...open, method: 'get', path: '/instrumented', summary: 'Tell', handle: async () => {
        const { Server } = (await import('node:http')).default;
        return { body: { instrumented: '__wrapped' in Server.prototype.emit } };
      } }),
    ],
  });
  return { app, start: async () => undefined, stop: () => store.close() };
}`;

type Taken = { path: string; type: string | undefined; bytes: Buffer };

let origin: string;
let metricsUrl: string;
let output: string;
let stop: () => Promise<void>;
const taken: Taken[] = [];

/** Takes what a collector is sent. The texts in it stand in protobuf as they are. */
async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const bytes = await buffer(request);
  taken.push({ path: request.url ?? '', type: request.headers['content-type'], bytes });
  response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
}
const collector = createServer((request, response) => void take(request, response));

async function start(environment: Record<string, string>): Promise<void> {
  const [port, metricsPort] = [await freePort(), await freePort()];
  [origin, metricsUrl, output] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${metricsPort}/metrics`, ''];
  const child = startSample({
    create,
    flags: ['--import', '@reeve/service-kit/telemetry'],
    environment: { PORT: String(port), METRICS_PORT: String(metricsPort), ...environment },
  });
  child.stdout?.on('data', chunk => {
    output += String(chunk);
  });
  await eventually('it to listen', () => output.includes('"listening"'), 25_000);
  stop = async () => {
    child.kill('SIGTERM');
    await eventually('it to end', () => child.exitCode !== null);
  };
}

afterAll(endSamples);

/** Asks, and returns the id that the request got. */
async function ask(method: string, path: string): Promise<string> {
  const response = await fetch(`${origin}${path}`, { method });
  await response.text();
  return response.headers.get('reeve-request-id') ?? '';
}

const isInstrumented = async () => (await (await fetch(`${origin}/instrumented`)).json()) as object;

const lineOf = (requestId: string, msg: string): Promise<Line> =>
  eventually(`${msg} ${requestId}`, () =>
    linesOf(output.slice(0, output.lastIndexOf('\n'))).find(
      line => line['requestId'] === requestId && line.msg === msg,
    ),
  );

describe('a service', () => {
  beforeAll(() => start({}));

  test('logs each request by its id, path and status, without the query and what is secret in a path', async () => {
    const setUp = await lineOf(await ask('GET', '/setup/secret'), 'answered');
    expect(setUp).toMatchObject({ req: { path: '/setup/…' } });
    const requestId = await ask('GET', '/things/one?code=secret');
    expect(requestId).toMatch(/^req_/);
    const line = await lineOf(requestId, 'answered');
    expect(line).toMatchObject({
      level: 'info',
      service: 'sample',
      req: { method: 'GET', path: '/things/one' },
      res: { status: 200 },
    });
    expect(output).not.toContain('secret');
  });

  test('logs why a request failed under the id that the caller has', async () => {
    const requestId = await ask('GET', '/fails');
    expect(await lineOf(requestId, 'request failed')).toMatchObject({ level: 'error', error: { message: 'why' } });
    expect(await lineOf(requestId, 'answered')).toMatchObject({ level: 'error', res: { status: 500 } });
  });

  test('measures each request under the path of its route, also in the fast lane, and no probe', async () => {
    await ask('GET', '/things/one');
    await ask('POST', '/lane/one');
    await ask('GET', '/healthz');
    const metrics = await (await fetch(metricsUrl)).text();
    const counts = metrics.split('\n').filter(line => line.startsWith('http_server_request_duration_count{'));
    const labels = (method: string, status: number, route: string) =>
      expect.stringContaining(
        `{http_request_method="${method}",http_response_status_code="${status}",http_route="${route}",`,
      );
    expect(counts).toEqual(
      expect.arrayContaining([labels('GET', 200, '/things/{name}'), labels('POST', 202, '/lane/{name}')]),
    );
    expect(counts.filter(line => !line.includes('http_route='))).toEqual([]);
    expect(metrics).toMatch(/^target_info{.*service_name="reeve-service-kit",service_version="0.1.0"/m);
  });

  test('has a bounded number of series, however many tenants there are, and counts the others together', async () => {
    await ask('GET', '/tenants');
    const lines = (await (await fetch(metricsUrl)).text())
      .split('\n')
      .filter(line => /^reeve_sample_total\W/.test(line));
    const values = lines.map(line => Number(/} (\d+)/.exec(line)?.[1]));
    expect([lines.length <= 2_000, values.reduce((sum, value) => sum + value, 0)]).toEqual([true, 5_000]);
    expect(lines.filter(line => line.includes('otel_metric_overflow="true"'))).toHaveLength(1);
  });

  test('is not instrumented while there is no collector, since that costs a part of every request', async () => {
    expect(await isInstrumented()).toEqual({ instrumented: false });
  });
});

describe('a collector', () => {
  let receiver: { url: string; stop(): Promise<void> };
  beforeAll(async () => {
    receiver = await listen(collector);
  });
  afterAll(() => receiver.stop());

  test('learns which service it is, in which version, and which of its processes', async () => {
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    await ask('GET', '/things/one');
    await ask('GET', '/setup/what-nobody-may-see?x=1');
    expect(await isInstrumented()).toEqual({ instrumented: true });
    await stop();
    for (const path of ['/v1/metrics', '/v1/traces']) {
      const one = taken.find(({ path: given }) => given === path);
      expect([path, one?.type]).toEqual([path, 'application/x-protobuf']);
      const text = one?.bytes.toString('latin1') ?? '';
      expect(text).toMatch(/service\.namespace.{1,6}reeve/s);
      expect(text).toMatch(/service\.name.{1,6}reeve-service-kit/s);
      expect(text).toMatch(/service\.version.{1,6}0\.1\.0/s);
      expect(text).toMatch(/service\.instance\.id.{1,6}[0-9a-f]{8}-[0-9a-f-]{27}/s);
    }
    const sent = taken.map(({ bytes }) => bytes.toString('latin1')).join('\n');
    expect(sent).toContain('https://opentelemetry.io/schemas/');
    expect(sent).toMatch(/http\.route.{1,6}\/things\/{name}/s);
    expect(sent).toMatch(/http\.route.{1,6}\/setup\/{setupLink}/s);
    expect(sent).not.toContain('what-nobody-may-see');
  });

  test('has the trace of each line of the log, of the same process', async () => {
    taken.length = 0;
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const line = await lineOf(await ask('GET', '/things/one'), 'answered');
    await stop();
    const traces = taken.filter(({ path }) => path === '/v1/traces').map(({ bytes }) => bytes);
    for (const name of ['trace_id', 'span_id']) {
      const id = Buffer.from(String(line[name]), 'hex');
      expect([name, id.length > 7 && traces.some(bytes => bytes.includes(id))]).toEqual([name, true]);
    }
    expect(line['trace_flags']).toBe('01');
    const own = ['service.namespace', 'service.name', 'service.version', 'service.instance.id'];
    for (const name of own)
      for (const { path, bytes } of taken)
        expect([path, name, bytes.includes(String(line[name]))]).toEqual([path, name, true]);
  });

  test('gets the spans of a request whose sender says that nobody collects it', async () => {
    taken.length = 0;
    await start({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
    const traceId = randomBytes(16);
    const traceparent = `00-${traceId.toString('hex')}-${randomBytes(8).toString('hex')}-00`;
    await (await fetch(`${origin}/things/one`, { headers: { traceparent } })).text();
    await stop();
    expect(taken.some(({ path, bytes }) => path === '/v1/traces' && bytes.includes(traceId))).toBe(true);
  });
});
