// What an API says of itself, where clients look for it.
import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { listen } from '@reeve/testing';
import express from 'express';
import { protect, protectedResourceMetadata } from './express.ts';
import { protectFetch } from './fetch.ts';
import { startIssuer, type TestIssuer } from './issuer.test-support.ts';
import { protectedResource } from './protected-resource.ts';
import { createVerifier } from './verifier.ts';

const audience = 'https://notes.example/mcp';
const scopes = ['notes:read', 'notes:write'] as const;

test.each([
  ['https://notes.example', 'https://notes.example/.well-known/oauth-protected-resource'],
  ['https://notes.example/', 'https://notes.example/.well-known/oauth-protected-resource'],
  ['https://notes.example/mcp', 'https://notes.example/.well-known/oauth-protected-resource/mcp'],
  ['https://notes.example/mcp/', 'https://notes.example/.well-known/oauth-protected-resource/mcp/'],
  ['https://notes.example/?a=1', 'https://notes.example/.well-known/oauth-protected-resource?a=1'],
  ['http://localhost:3000/a/b?c', 'http://localhost:3000/.well-known/oauth-protected-resource/a/b?c'],
])('of %s it is at %s (RFC 9728 §3.1), and names the URL as it is written', (resource, metadataUrl) => {
  const made = protectedResource({ resource, authorizationServers: ['https://reeve.example'] });
  expect([made.metadataUrl, made.metadata['resource']]).toEqual([metadataUrl, resource]);
});

test.each(['https://notes.example/mcp#x', 'https://notes.example/mcp#', 'urn:notes', 'notes.example', ''])(
  '%p is nothing that a client could ask for',
  resource => {
    expect(() => protectedResource({ resource, authorizationServers: ['https://reeve.example'] })).toThrow(TypeError);
  },
);

describe('an API that says what it is', () => {
  let issuer: TestIssuer;
  let api: Awaited<ReturnType<typeof listen>>;
  const resource = protectedResource({
    resource: audience,
    authorizationServers: ['https://reeve.example'],
    scopes,
    name: 'Notes',
  });
  const metadata = 'resource_metadata="https://notes.example/.well-known/oauth-protected-resource/mcp"';

  beforeAll(async () => {
    issuer = await startIssuer();
    const verifier = createVerifier({ issuer: issuer.url, audience, revocations: 'not_followed' });
    const app = express();
    app.use(protectedResourceMetadata(resource));
    const answer = (_: express.Request, response: express.Response) => void response.json({});
    app.get('/mcp', protect(verifier, { scopes: [...scopes], resource }), answer);
    app.get('/fetch', async (request, response) => {
      const { authorization = '' } = request.headers;
      const handle = protectFetch(verifier, () => new Response(), { scopes: [...scopes], resource });
      const asked = new Request(audience, authorization === '' ? {} : { headers: { authorization } });
      const { status, headers } = await handle(asked);
      response.status(status).set(Object.fromEntries(headers)).end();
    });
    app.use((_, response) => void response.status(404).end());
    api = await listen(createServer(app));
  });
  afterAll(() => Promise.all([api.stop(), issuer.stop()]));

  const ask = async (path: string, token?: string) => {
    const response = await fetch(api.url + path, token === undefined ? {} : { headers: { authorization: token } });
    return [response.status, response.headers.get('www-authenticate')];
  };

  test('says it at one path, to anybody', async () => {
    const response = await fetch(`${api.url}/.well-known/oauth-protected-resource/mcp`);
    expect(await response.json()).toEqual({
      resource: audience,
      authorization_servers: ['https://reeve.example'],
      bearer_methods_supported: ['header'],
      scopes_supported: scopes,
      resource_name: 'Notes',
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    for (const other of ['', '/mcp/', '/mcp?x=1', '/MCP', '/mcp/..%2f'])
      expect((await ask(`/.well-known/oauth-protected-resource${other}`))[0]).toBe(404);
    const path = '/.well-known/oauth-protected-resource/mcp';
    expect((await fetch(api.url + path, { method: 'POST' })).status).toBe(404);
    expect((await fetch(api.url + path, { method: 'HEAD' })).status).toBe(200);
  });

  test.each(['/mcp', '/fetch'])('leads whoever is refused at %s there, and names all scopes', async path => {
    const wanted = `${metadata}, scope="notes:read notes:write"`;
    expect(await ask(path)).toEqual([401, `Bearer ${wanted}`]);
    const wrong = 'error="invalid_token", error_description="The access token is not valid here"';
    for (const aud of ['https://notes.example/mcp/', 'https://notes.example', [audience, 'https://other.example']])
      expect(await ask(path, `Bearer ${await issuer.token({ aud })}`)).toEqual([401, `Bearer ${wrong}, ${wanted}`]);
    const narrow = await issuer.token({ aud: audience, scope: 'notes:read' });
    const lacking = 'error="insufficient_scope", error_description="The access token lacks a scope that this asks for"';
    expect(await ask(path, `Bearer ${narrow}`)).toEqual([403, `Bearer ${lacking}, ${wanted}`]);
    const good = await issuer.token({ aud: audience, scope: scopes.join(' ') });
    expect((await ask(path, `Bearer ${good}`))[0]).toBe(200);
    expect(await ask(`${path}?access_token=${good}`)).toEqual([401, `Bearer ${wanted}`]);
  });
});
