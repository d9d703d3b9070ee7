// What `helm test` runs in the cluster, run here against services that answer well, and against some that do not.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { nodeBinary } from '@reeve/local/paths';
import { serviceNames } from '@reeve/local/system';
import { z } from 'zod';
import { chart, one, render } from './chart.test-support.ts';

const issuer = 'https://id.example.com';
const answers = new Map<string, object>([
  ['/healthz', { status: 'ok' }],
  ['/.well-known/openid-configuration', { issuer }],
]);
const server = createServer((request, response) => {
  const answer = answers.get(request.url ?? '');
  response.writeHead(answer ? 200 : 503).end(JSON.stringify(answer ?? {}));
});
let address: string;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const testContainer = z.looseObject({
  command: z.tuple([z.literal('node')], z.string()),
  args: z.array(z.string()),
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
});

async function run(set: Record<string, string>): Promise<{ code: number; output: string }> {
  const pod = one(render('minimal').filter(({ kind }) => kind === 'Pod'));
  const { containers } = z.looseObject({ containers: z.array(testContainer) }).parse(pod['spec']);
  const { command, args, env } = one(containers);
  const environment = Object.fromEntries(env.map(({ name, value }) => [name, value]));
  expect(Object.keys(JSON.parse(environment['SERVICES'] ?? '{}') as object).toSorted()).toEqual(
    [...serviceNames].toSorted(),
  );
  const services = JSON.stringify(Object.fromEntries(serviceNames.map(name => [name, address])));
  const child = spawn(nodeBinary, [...command.slice(1), ...args], {
    env: { ...environment, SERVICES: services, ATTEMPTS: '1', ...set },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)));
  const [code] = (await once(child, 'close')) as [number];
  return { code, output };
}

chart.describe('helm test', () => {
  test('passes where each service answers, and auth is the issuer that it should be', async () => {
    const { code, output } = await run({});
    expect({ code, output }).toMatchObject({ code: 0 });
    for (const name of [...serviceNames, 'the discovery document']) expect(output).toContain(`${name}: in order`);
  });

  test('fails where one does not answer, and says which', async () => {
    const services = { auth: address, audit: `${address}/elsewhere` };
    const { code, output } = await run({ SERVICES: JSON.stringify(services) });
    expect(code).not.toBe(0);
    expect(output).toContain('audit: ');
    expect(output).toContain('answers 503');
  });

  test('fails where the discovery document names another issuer', async () => {
    const { code, output } = await run({ ISSUER: 'https://login.example.com' });
    expect(code).not.toBe(0);
    expect(output).toContain(`it names the issuer ${issuer}`);
  });
});
