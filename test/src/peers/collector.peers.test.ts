// infra/otel/collector.yaml in a real collector, behind a real system: which traces and lines of the log come through.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { localDirectory, repositoryRoot } from '@reeve/local/paths';
import { freePort } from '@reeve/local/ports';
import { beginSignIn, callback, registerProductApp, signIn } from '@reeve/local/product-app';
import { listen } from '@reeve/testing';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { type RunningProgram, startProgram } from '../support/running-program.ts';
import { demoUser, freshTenant } from '../support/running-system.ts';
import { lackingCollector, runningPeers } from './running-peers.ts';

type Attribute = { key: string; value: { stringValue?: string } };
type Resource = { resource: { attributes: Attribute[] } };
type Span = { traceId: string; attributes?: Attribute[] };
type LogRecord = { traceId?: string; severityText?: string };
type Sent = {
  resourceSpans?: (Resource & { scopeSpans: { spans: Span[] }[] })[];
  resourceLogs?: (Resource & { scopeLogs: { logRecords: LogRecord[] }[] })[];
  resourceMetrics?: (Resource & { scopeMetrics: { metrics: { name: string }[] }[] })[];
};

const { collector } = runningPeers();
const ordinary = 200;
const share = 10;

given(collector !== null, lackingCollector).describe('the collector', () => {
  /** What came out of it, at the place where it is kept. */
  const sent: Sent[] = [];
  const backend = createServer((request, response) => {
    void json(request).then(body => {
      sent.push(body as Sent);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  let kept: { url: string; stop(): Promise<void> };
  let running: RunningProgram;
  let own: OwnSystem;
  const traceIds = Array.from({ length: ordinary }, () => randomBytes(16).toString('hex'));
  const failures = 5;

  beforeAll(async () => {
    kept = await listen(backend);
    const [port, health] = [await freePort(), await freePort()];
    running = startProgram({
      command: collector ?? '',
      args: [
        `--config=${join(repositoryRoot, 'infra/otel/collector.yaml')}`,
        // So that it can be read here.
        '--config=yaml:exporters::otlphttp::encoding: json',
        '--config=yaml:exporters::otlphttp::compression: none',
      ],
      env: {
        REEVE_OTLP_BACKEND: kept.url,
        REEVE_COLLECTOR_LISTEN: `127.0.0.1:${port}`,
        REEVE_COLLECTOR_HEALTH: `127.0.0.1:${health}`,
        REEVE_TRACE_WAIT: '3s',
        REEVE_TRACE_SHARE: String(share),
        REEVE_LOG_FILES: join(localDirectory, 'test/collector-*/logs/*auth*'),
      },
    });
    await running.says('Everything is ready');
    own = await startOwnSystem('collector', {
      environment: {
        LOG_LEVEL: 'info',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
        OTEL_METRIC_EXPORT_INTERVAL: '2000',
        OTEL_METRIC_EXPORT_TIMEOUT: '1000',
      },
    });
    await happen();
  }, 240_000);
  afterAll(async () => {
    await own?.stop();
    await running?.stop();
    await kept?.stop();
  }, 60_000);

  /** Ordinary requests, and sign-ins of somebody who is deactivated. */
  async function happen(): Promise<void> {
    const { credentials } = own.system;
    const alice = demoUser(credentials);
    const { tenant, api } = await freshTenant(credentials, 'collector');
    const app = await registerProductApp(api, credentials, tenant);
    const { claims } = await signIn(app, tenant, alice);
    await api.post(`${credentials.urls.provisioning}/v1/tenants/${tenant.id}/users/${claims.sub}:deactivate`);
    for (let times = 0; times < failures; times += 1) {
      const browser = createBrowser();
      const { url } = await beginSignIn(app, tenant);
      const refused = await browser.submit(await browser.open(url, callback), alice, callback);
      if (refused.status !== 403) throw new Error(`the sign-in was answered ${refused.status}`);
    }
    for (const traceId of traceIds) {
      const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`;
      await fetch(`${credentials.issuer}/jwks`, { headers: { traceparent } }).then(response => response.text());
    }
  }

  const spans = () =>
    sent
      .flatMap(({ resourceSpans = [] }) => resourceSpans)
      .flatMap(one => one.scopeSpans.flatMap(scope => scope.spans));
  const valueOf = (attributes: Attribute[], name: string) =>
    attributes.find(({ key }) => key === name)?.value.stringValue;
  const failed = () =>
    spans().filter(({ attributes = [] }) => valueOf(attributes, 'reeve.sign_in.outcome') === 'failed');

  test('keeps the trace of every sign-in that failed, and a share of the ordinary ones', async () => {
    await eventually('the traces of those that failed', () => failed().length >= failures, 60_000);
    expect(new Set(failed().map(({ traceId }) => traceId)).size).toBe(failures);
    for (const { attributes = [] } of failed())
      expect(valueOf(attributes, 'reeve.sign_in.cause')).toBe('user_deactivated');
    // The last of the others are judged by then.
    const ordinaryKept = () =>
      new Set(
        spans()
          .map(({ traceId }) => traceId)
          .filter(id => traceIds.includes(id)),
      ).size;
    await eventually('some of the others', () => ordinaryKept() > 0, 60_000);
    await new Promise(resolve => setTimeout(resolve, 5_000));
    expect(ordinaryKept()).toBeGreaterThan(0);
    // Three times the share, and nine standard deviations away.
    expect(ordinaryKept()).toBeLessThan((ordinary * share * 3) / 100);
  }, 150_000);

  test('hands on the log with the trace that each line belongs to, of the same service', async () => {
    const [one] = failed();
    const lines = await eventually('a line of the log of a sign-in that failed', () => {
      const found = sent
        .flatMap(({ resourceLogs = [] }) => resourceLogs)
        .filter(({ scopeLogs }) =>
          scopeLogs.some(({ logRecords }) => logRecords.some(({ traceId }) => traceId === one?.traceId)),
        );
      return found.length > 0 && found;
    });
    for (const { resource } of lines) expect(valueOf(resource.attributes, 'service.name')).toBe('reeve-auth');
  });

  test('hands on metrics', async () => {
    await eventually('the metric of sign-ins', () =>
      sent
        .flatMap(({ resourceMetrics = [] }) => resourceMetrics)
        .some(({ scopeMetrics }) =>
          scopeMetrics.some(({ metrics }) => metrics.some(({ name }) => name === 'reeve.sign_ins')),
        ),
    );
  });
});
