import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { generate } from 'selfsigned';
import { kafkaConnection } from './kafka-connection.ts';
import { readKafkaSettings } from './kafka-settings.ts';

const directory = mkdtempSync(join(tmpdir(), 'reeve-kafka-connection-'));
const file = (name: string) => join(directory, name);
const endpoint = { answer: { status: 200, body: '{"access_token":"a token"}' }, asked: [] as string[] };
let server: Server;
let tokenEndpoint: string;

beforeAll(async () => {
  const [one, other] = [await generate(), await generate()];
  writeFileSync(file('cert.pem'), one.cert);
  writeFileSync(file('key.pem'), one.private);
  writeFileSync(file('other-key.pem'), other.private);
  writeFileSync(file('token'), 'from a file\n');
  writeFileSync(file('rubbish'), 'rubbish');
  server = createServer((request, response) => {
    void text(request).then(body => {
      endpoint.asked.push(`${request.headers.authorization} ${body}`);
      response.writeHead(endpoint.answer.status).end(endpoint.answer.body);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  tokenEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
});
afterAll(() => {
  server.close();
  rmSync(directory, { recursive: true });
});

function connectionOf(variables: Record<string, string>) {
  const settings = readKafkaSettings({ KAFKA_BROKERS: 'kafka-0:9092,kafka-1:9092', ...variables });
  return kafkaConnection(settings);
}

const ssl = { KAFKA_SECURITY_PROTOCOL: 'SSL' };
const login = { KAFKA_SASL_USERNAME: 'reeve', KAFKA_SASL_PASSWORD: 'pass word' };
const sasl = (mechanism: string) => ({ KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_MECHANISM: mechanism });
const plain = { ...sasl('PLAIN'), ...login };
const fromFile = () => ({ ...sasl('OAUTHBEARER'), KAFKA_OAUTH_TOKEN_FILE: file('token') });
const fromEndpoint = () => ({ ...sasl('OAUTHBEARER'), ...login, KAFKA_OAUTH_TOKEN_ENDPOINT: tokenEndpoint });
const brokers = ['kafka-0:9092', 'kafka-1:9092'];

describe('the connection to Kafka', () => {
  test('is plain where nothing is said', () => {
    expect(connectionOf({})).toEqual({ brokers, tls: null, sasl: null });
  });

  test('is by TLS, with the authority and the certificate that files hold', () => {
    expect(connectionOf(ssl)).toEqual({ brokers, tls: {}, sasl: null });
    const files = {
      KAFKA_SSL_CA_FILE: file('cert.pem'),
      KAFKA_SSL_CERT_FILE: file('cert.pem'),
      KAFKA_SSL_KEY_FILE: file('key.pem'),
    };
    expect(connectionOf({ ...ssl, ...files }).tls).toEqual({
      ca: expect.stringContaining('BEGIN CERTIFICATE'),
      cert: expect.stringContaining('BEGIN CERTIFICATE'),
      key: expect.stringContaining('BEGIN PRIVATE KEY'),
    });
  });

  test.each(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])('logs in by %s, with TLS and without', mechanism => {
    const expected = { mechanism: mechanism.toLowerCase(), username: 'reeve', password: 'pass word' };
    const variables = { ...sasl(mechanism), ...login };
    expect(connectionOf(variables)).toEqual({ brokers, tls: {}, sasl: expected });
    const withoutTls = { ...variables, KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT' };
    expect(connectionOf(withoutTls)).toEqual({ brokers, tls: null, sasl: expected });
  });
});

describe('a bearer token', () => {
  const tokenOf = (variables: Record<string, string>) => {
    const { sasl } = connectionOf(variables);
    if (sasl?.mechanism !== 'oauthbearer') throw new Error('it is another mechanism');
    return sasl.token();
  };

  test('is read from its file for each connection, since somebody keeps that fresh', async () => {
    expect(await tokenOf(fromFile())).toBe('from a file');
    writeFileSync(file('token'), 'fresher');
    expect(await tokenOf(fromFile())).toBe('fresher');
  });

  test('is got by client_credentials, with the scope where there is one', async () => {
    expect(await tokenOf(fromEndpoint())).toBe('a token');
    expect(await tokenOf({ ...fromEndpoint(), KAFKA_OAUTH_SCOPE: 'kafka' })).toBe('a token');
    const basic = `Basic ${Buffer.from('reeve:pass%20word').toString('base64')}`;
    expect(endpoint.asked).toEqual([
      `${basic} grant_type=client_credentials`,
      `${basic} grant_type=client_credentials&scope=kafka`,
    ]);
  });

  test.each([
    { status: 503, body: 'pass word', error: /answered 503/ },
    { status: 200, body: '{"token":"pass word"}', error: /no access_token/ },
    { status: 200, body: '<html>pass word', error: /no access_token/ },
  ])('that is not given is an error that says why and shows nothing: %j', async ({ error, ...answer }) => {
    Object.assign(endpoint, { answer });
    const reason: unknown = await tokenOf(fromEndpoint()).catch((one: unknown) => one);
    expect(String(reason)).toMatch(error);
    expect(String(reason)).not.toContain('pass word');
  });

  test('whose endpoint is out of reach is an error that says so', async () => {
    const variables = { ...fromEndpoint(), KAFKA_OAUTH_TOKEN_ENDPOINT: 'http://127.0.0.1:1/token' };
    await expect(tokenOf(variables)).rejects.toThrow(/could not be reached/);
  });
});

describe('a combination that makes no sense is refused by the name of the variable', () => {
  const without = (variables: Record<string, string>, name: string) =>
    Object.fromEntries(Object.entries(variables).filter(([one]) => one !== name));

  test.each<[string, () => Record<string, string>]>([
    ['KAFKA_SECURITY_PROTOCOL', () => ({ KAFKA_SECURITY_PROTOCOL: 'TLS' })],
    ['KAFKA_BROKERS', () => ({ KAFKA_BROKERS: ' , ' })],
    ['KAFKA_SSL_CA_FILE', () => ({ KAFKA_SSL_CA_FILE: file('cert.pem') })],
    ['KAFKA_SSL_CA_FILE', () => ({ ...ssl, KAFKA_SSL_CA_FILE: file('nowhere') })],
    ['KAFKA_SSL_CA_FILE', () => ({ ...ssl, KAFKA_SSL_CA_FILE: file('rubbish') })],
    ['KAFKA_SSL_KEY_FILE', () => ({ ...ssl, KAFKA_SSL_CERT_FILE: file('cert.pem') })],
    ['KAFKA_SSL_CERT_FILE', () => ({ ...ssl, KAFKA_SSL_KEY_FILE: file('key.pem') })],
    [
      'KAFKA_SSL_KEY_FILE',
      () => ({ ...ssl, KAFKA_SSL_CERT_FILE: file('cert.pem'), KAFKA_SSL_KEY_FILE: file('rubbish') }),
    ],
    [
      'KAFKA_SSL_KEY_FILE',
      () => ({ ...ssl, KAFKA_SSL_CERT_FILE: file('cert.pem'), KAFKA_SSL_KEY_FILE: file('other-key.pem') }),
    ],
    ['KAFKA_SASL_MECHANISM', () => ({ ...ssl, KAFKA_SASL_MECHANISM: 'PLAIN' })],
    ['KAFKA_SASL_MECHANISM', () => without(plain, 'KAFKA_SASL_MECHANISM')],
    ['KAFKA_SASL_MECHANISM', () => ({ ...plain, KAFKA_SASL_MECHANISM: 'GSSAPI' })],
    ['KAFKA_SASL_USERNAME', () => ({ ...ssl, KAFKA_SASL_USERNAME: 'reeve' })],
    ['KAFKA_SASL_USERNAME', () => without(plain, 'KAFKA_SASL_USERNAME')],
    ['KAFKA_SASL_PASSWORD', () => without(plain, 'KAFKA_SASL_PASSWORD')],
    ['KAFKA_SASL_PASSWORD', () => without(fromEndpoint(), 'KAFKA_SASL_PASSWORD')],
    ['KAFKA_SASL_PASSWORD', () => ({ ...fromFile(), KAFKA_SASL_PASSWORD: 'secret' })],
    ['KAFKA_OAUTH_TOKEN_ENDPOINT', () => without(fromEndpoint(), 'KAFKA_OAUTH_TOKEN_ENDPOINT')],
    ['KAFKA_OAUTH_TOKEN_ENDPOINT', () => ({ ...fromFile(), KAFKA_OAUTH_TOKEN_ENDPOINT: tokenEndpoint })],
    ['KAFKA_OAUTH_SCOPE', () => ({ ...plain, KAFKA_OAUTH_SCOPE: 'kafka' })],
    ['KAFKA_OAUTH_TOKEN_FILE', () => ({ ...plain, KAFKA_OAUTH_TOKEN_FILE: file('token') })],
  ])('%s (%#)', (name, variables) => {
    expect(() => connectionOf(variables())).toThrow(new RegExp(`^${name}: `));
  });
});
