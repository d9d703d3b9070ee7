// `reeve doctor` on the running system: what it finds well, and what it says where something is not.
import { createServer as createTlsServer } from 'node:https';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { freePort } from '@reeve/local/ports';
import { newTlsSite } from '@reeve/local/tls-site';
import { reeve } from '../support/cli.ts';
import { runningSystem } from '../support/running-system.ts';

type Finding = { service: string; from: string; code: string; status: string; detail: string; advice: string | null };

const credentials = runningSystem();
const { urls, issuer, clientId, clientSecret } = credentials;
const environment = {
  ...process.env,
  REEVE_ISSUER: issuer,
  REEVE_CLIENT_ID: clientId,
  REEVE_CLIENT_SECRET: clientSecret,
  REEVE_PROVISIONING_URL: urls.provisioning,
  REEVE_CONNECTOR_CONSENT_URL: urls.connectorConsent,
  REEVE_WEBHOOK_INGRESS_URL: urls.webhookIngress,
  REEVE_AUDIT_URL: urls.audit,
};

async function doctor(change: NodeJS.ProcessEnv = {}, ...flags: string[]) {
  const { code, out } = await reeve(['doctor', '--json', ...flags], { ...environment, ...change });
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  const bad = findings.filter(({ status }) => status !== 'ok');
  return { code, findings, bad, failed: bad.filter(({ status }) => status === 'failed') };
}

test('a sound system has no failure; what it lacks for production is a warning', async () => {
  const { code, findings, bad, failed } = await doctor();
  expect([code, failed]).toEqual([0, []]);
  for (const service of ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'])
    expect(findings.filter(one => one.service === service).map(one => `${one.from} ${one.code}`)).toEqual(
      expect.arrayContaining(['outside health', 'outside ready', 'inside store_indexes', 'inside kafka_topics']),
    );
  expect(bad.map(one => one.code)).toContain('kafka_replication');
  expect(bad.every(({ advice }) => advice !== null)).toBe(true);
});

test('reads what npm start has written, and prints for people', async () => {
  const file = process.env['REEVE_TEST_CREDENTIALS'] ?? '';
  const { code, out } = await reeve(['doctor', '--credentials', file], { PATH: process.env['PATH'] });
  expect([code, out]).toEqual([0, expect.stringMatching(/\n\d+ well, \d+ warnings, 0 failed\n$/)]);
  expect(out).not.toContain(clientSecret);
});

test('a service that nobody named is said not to be looked at', async () => {
  const { code, bad } = await doctor({ REEVE_AUDIT_URL: undefined });
  expect(code).toBe(0);
  expect(bad.filter(({ service }) => service === 'audit')).toMatchObject([{ code: 'url', status: 'warning' }]);
});

test('a service that is not there, that hangs, or whose name is unknown', async () => {
  const hanging = createServer();
  await new Promise<void>(resolve => hanging.listen(0, '127.0.0.1', resolve));
  const { port } = hanging.address() as { port: number };
  const { code, failed } = await doctor({
    REEVE_AUDIT_URL: `http://localhost:${await freePort()}`,
    REEVE_PROVISIONING_URL: `http://127.0.0.1:${port}`,
    REEVE_CONNECTOR_CONSENT_URL: 'https://reeve.invalid',
  });
  hanging.close();
  expect(code).toBe(1);
  const told = failed.map(one => `${one.service} ${one.code}`);
  expect(told).toEqual(expect.arrayContaining(['audit health', 'provisioning health', 'connector-consent dns']));
  // The others are looked at all the same.
  expect(failed.filter(({ service }) => service === 'auth' || service === 'webhook-ingress')).toEqual([]);
}, 60_000);

test('what tenants may name is reached or not, by each service that reaches such places', async () => {
  const reached = async (url: string) => {
    const { code, findings } = await doctor({}, '--reach', url);
    return { code, told: findings.filter(one => one.code === 'egress') };
  };
  const there = await reached(`${credentials.demoIdp.oidc}/.well-known/openid-configuration`);
  expect(there.code).toBe(0);
  expect(there.told.map(({ service, status }) => `${service} ${status}`)).toEqual([
    'auth ok',
    'connector-consent ok',
    'audit ok',
  ]);
  const inside = await reached('https://10.1.2.3/');
  expect(inside.code).toBe(1);
  for (const { detail } of inside.told) expect(detail).toContain('REEVE_ALLOWED_NETWORKS');
  const unknown = await reached('https://reeve.invalid/');
  expect(unknown.told.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
}, 60_000);

test('a certificate that nobody vouches for', async () => {
  const site = await newTlsSite();
  const server = createTlsServer({ key: site.key, cert: site.certificate }, (_, response) => response.end());
  await new Promise<void>(resolve => server.listen(site.port, 'localhost', resolve));
  const { failed } = await doctor({ REEVE_AUDIT_URL: site.origin });
  server.close();
  expect(failed).toContainEqual(expect.objectContaining({ service: 'audit', code: 'tls', status: 'failed' }));
});

test('a client that may not look is told so, for each service', async () => {
  const { code, failed } = await doctor({ REEVE_CLIENT_SECRET: 'not-the-secret' });
  expect(code).toBe(1);
  expect(failed.map(one => one.code)).toEqual(Array.from({ length: 5 }, () => 'diagnostics'));
  expect(JSON.stringify(failed)).not.toContain('not-the-secret');
});

test.each([
  [['--client-id', 'x'], {}, 'REEVE_ISSUER'],
  [['--credentials', join(import.meta.dirname, 'doctor.test.ts')], {}, 'doctor.test.ts is no JSON\n'],
  [['--reach', 'nope'], environment, '--reach: nope is no http or https URL'],
  [['--tenant', 'acme'], environment, '--tenant is for --consistency'],
  [[], { ...environment, REEVE_AUDIT_URL: 'nonsense' }, '--audit'],
])('%j ends with 2 and says what is missing', async (flags, env, said) => {
  const { code, out } = await reeve(['doctor', ...flags], { PATH: process.env['PATH'], ...env });
  expect([code, out]).toEqual([2, expect.stringContaining(said)]);
});
