// Our own issuer, as somebody would have it who can change what it says of itself, or who stands between.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createOwnIssuer } from './own-issuer.ts';

const issuer = 'http://issuer.example';
const client = { clientId: 'pages', clientSecret: 'a secret', redirectUri: 'http://localhost/sign-in/callback' };
const honest = {
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
};

let said: Record<string, unknown>;
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  answer(request, response);
});
let address: string;

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked.length = 0;
  said = honest;
  answer = (_, response) => void response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
});

const own = () => createOwnIssuer({ url: issuer, address, ...client });
const unavailable = { code: 'dependency_unavailable', retryAfterSeconds: 2 };

describe('our own issuer', () => {
  test('is found at its address inside the network, under the name that it has outside, and read once', async () => {
    const { registration } = own();
    const [one, other] = await Promise.all([registration(), registration()]);
    expect(one).toMatchObject({ metadata: { issuer, token_endpoint: `${issuer}/token` }, ...client });
    expect(other).toBe(one);
    expect(asked).toEqual(['/.well-known/openid-configuration']);
  });

  test('is asked again after it did not answer', async () => {
    const { registration } = own();
    answer = (_, response) => void response.writeHead(503).end();
    await expect(registration()).rejects.toMatchObject(unavailable);
    answer = (_, response) => void response.end(JSON.stringify(honest));
    await expect(registration()).resolves.toMatchObject(client);
  });

  test.each([
    ['token endpoint', { token_endpoint: 'https://evil.example/token' }],
    ['key set', { jwks_uri: 'https://evil.example/jwks' }],
    ['page', { authorization_endpoint: 'https://issuer.example.evil.example/auth' }],
    ['page, by a script', { authorization_endpoint: 'javascript:alert(1)' }],
    ['name', { issuer: 'https://evil.example' }],
  ])('whose document leads elsewhere for its %s is not used', async (_, change) => {
    said = { ...honest, ...change };
    await expect(own().registration()).rejects.toMatchObject(unavailable);
    said = honest;
    await expect(own().registration()).resolves.toMatchObject(client);
  });

  test('whose document lies elsewhere is not followed there', async () => {
    answer = ({ url = '' }, response) => {
      if (url.startsWith('/elsewhere')) return void response.end(JSON.stringify(honest));
      return void response.writeHead(302, { location: `${address}/elsewhere` }).end();
    };
    await expect(own().registration()).rejects.toMatchObject(unavailable);
    expect(asked).toEqual(['/.well-known/openid-configuration']);
  });

  test('is reached at its address whatever its paths look like', async () => {
    await own().fetch(`${issuer}//evil.example/token?x=1`);
    expect(asked).toEqual(['//evil.example/token?x=1']);
    expect(() => own().fetch('https://evil.example/token')).toThrow('the issuer leads elsewhere');
  });
});
