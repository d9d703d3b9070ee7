// Clients of the Model Context Protocol as they come from npm, at a server that is protected as docs/agents.md has it.
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '@reeve/local/ports';
import { eventually } from '@reeve/testing/eventually';
import { given } from '@reeve/testing/given';
import { decodeJwt } from 'jose';
import { startProgram } from '../support/running-program.ts';
import { runningSystem } from '../support/running-system.ts';
import { clientNames, type McpClient, startMcpClient } from './mcp-client.ts';
import { type McpSystem, startMcpSystem } from './mcp-system.ts';
import { lackingMcp, runningPeers } from './running-peers.ts';

const { mcp } = runningPeers();

given(mcp !== null, lackingMcp).describe('at a server of the Model Context Protocol', () => {
  let system: McpSystem;

  beforeAll(async () => {
    system = await startMcpSystem();
  }, 120_000);
  afterAll(() => system?.stop());

  const ask = (authorization?: string, query = '') =>
    fetch(system.url + query, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
    });
  const metadataUrl = () => system.url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');

  test('whoever has no token is told where there are some', async () => {
    const answer = await ask();
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer resource_metadata="${metadataUrl()}", scope="notes:read"`,
    ]);
    expect(await (await fetch(metadataUrl())).json()).toMatchObject({
      resource: system.url,
      authorization_servers: [system.credentials.issuer],
      scopes_supported: ['notes:read', 'notes:write'],
    });
  });

  describe.each(clientNames)('%s', name => {
    const started: McpClient[] = [];
    afterEach(() => Promise.all(started.splice(0).map(client => client.stop())));

    const { issuer } = runningSystem();

    async function start(known: { clientId: string } | { documentUrl: string }) {
      const client = await startMcpClient({ name, modules: String(mcp), url: system.url, issuer, ...known });
      started.push(client);
      return client;
    }

    /** A person is sent to sign in, and comes back. */
    async function signedIn(client: McpClient) {
      const { error, kept } = await client.connect();
      expect(error).toBe('unauthorized');
      const address = new URL(kept.sentTo.at(-1) ?? '');
      const { answer, asked } = await system.allow(address);
      const finished = await client.finish(answer);
      expect(finished.error).toBeUndefined();
      return { address, answer, asked, ...finished.kept };
    }

    test('gets in as an application that is registered, and asks for what the challenge names', async () => {
      const client = await start({ clientId: await system.register() });
      const { address, answer, asked, tokens } = await signedIn(client);
      expect(address.searchParams.getAll('resource')).toEqual([system.url]);
      expect(address.searchParams.get('scope')).toContain('notes:read');
      expect([asked, answer.get('iss')]).toEqual([null, system.credentials.issuer]);
      const claims = decodeJwt(tokens?.access_token ?? '');
      expect(claims).toMatchObject({ aud: system.url, scope: 'notes:read', tid: system.own.tenant.id });
      expect((await client.connect()).error).toBeUndefined();
      expect((await client.call('list_notes')).text).toEqual(expect.any(String));
    });

    test('gets in as one that nobody registered, when the person allows it', async () => {
      const documentUrl = system.publish();
      const client = await start({ documentUrl });
      const { asked, client: known } = await signedIn(client);
      expect(known).toMatchObject({ client_id: documentUrl });
      // Whose it is, and that it leads to a program on this computer.
      for (const shown of [new URL(documentUrl).host, '127.0.0.1:5998', 'class="error"'])
        expect(asked).toContain(shown);
      expect((await client.connect()).error).toBeUndefined();
      expect((await client.call('list_notes')).text).toEqual(expect.any(String));
    });

    test('follows its refresh token, and sends nobody anywhere', async () => {
      const client = await start({ clientId: await system.register() });
      const { tokens } = await signedIn(client);
      await client.keep({ tokens: { ...tokens, access_token: 'expired' } });
      const { error, kept } = await client.connect();
      expect(error).toBeUndefined();
      expect((await client.call('list_notes')).text).toEqual(expect.any(String));
      expect(kept.tokens?.refresh_token).toEqual(expect.any(String));
      expect(kept.tokens?.refresh_token).not.toBe(tokens?.refresh_token);
      expect(kept.sentTo.length).toBe(1);
    });

    test('asks for more when a call needs it, once', async () => {
      const client = await start({ clientId: await system.register() });
      const { tokens } = await signedIn(client);
      await client.connect();
      if (name === '@modelcontextprotocol/sdk') {
        // It refreshes, which gives no more, and gives up: its application has to forget that it can.
        expect((await client.call('add_note', { text: name })).error).toContain('403');
        const { refresh_token: _, ...withoutRefresh } = tokens ?? { access_token: '' };
        await client.keep({ tokens: withoutRefresh });
        await client.connect();
      }
      const more = await client.call('add_note', { text: name });
      expect(more.error).toBe('unauthorized');
      const address = new URL(more.kept.sentTo.at(-1) ?? '');
      expect(address.searchParams.get('scope')?.split(' ')).toEqual(
        expect.arrayContaining(['notes:read', 'notes:write']),
      );
      const { kept } = await client.finish((await system.allow(address)).answer);
      expect(decodeJwt(kept.tokens?.access_token ?? '')['scope']).toBe('notes:read notes:write');
      expect((await client.call('add_note', { text: name })).text).toBe('kept');
      expect((await client.call('list_notes')).text).toContain(name);
      expect(kept.sentTo.length).toBe(2);
    });
  });

  describe('a token', () => {
    /** Of a person, for that API. */
    async function tokenFor(resource: string) {
      const { auth } = system.credentials.urls;
      const metadata = (await (await fetch(`${auth}/.well-known/openid-configuration`)).json()) as Record<
        string,
        string
      >;
      const verifier = 'v'.repeat(43);
      const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
      const request = { client_id: await system.register(), redirect_uri: 'http://127.0.0.1:5998/callback', resource };
      const query = new URLSearchParams({
        ...request,
        response_type: 'code',
        scope: 'notes:read',
        code_challenge: challenge,
        code_challenge_method: 'S256',
      });
      const { answer } = await system.allow(`${metadata['authorization_endpoint']}?${query}`);
      const body = {
        ...request,
        grant_type: 'authorization_code',
        code: answer.get('code') ?? '',
        code_verifier: verifier,
      };
      const response = await fetch(String(metadata['token_endpoint']), {
        method: 'POST',
        body: new URLSearchParams(body),
      });
      return ((await response.json()) as { access_token: string }).access_token;
    }

    test('of another API, or that is no header, lets nobody in', async () => {
      const [good, other] = [await tokenFor(system.url), await tokenFor(await system.newApi(`${system.url}/`))];
      expect(decodeJwt(other)['aud']).toBe(`${system.url}/`);
      const status = async (...asked: Parameters<typeof ask>) => (await ask(...asked)).status;
      expect(await status(`Bearer ${good}`)).not.toBe(401);
      expect(await status(`Bearer ${other}`)).toBe(401);
      expect(await status(undefined, `?access_token=${good}`)).toBe(401);
    });
  });

  test('the client of the document gets in, and asks for more where it has to', async () => {
    const port = await freePort();
    const env = {
      ISSUER: system.credentials.issuer,
      MCP_URL: system.url,
      CLIENT_ID: await system.register(),
      CLIENT_METADATA_URL: '',
      PORT: String(port),
    };
    const program = startProgram({ ...system.project.command('mcp-client.mjs'), cwd: system.project.directory, env });
    const addresses = () => [...program.said().matchAll(/^sign in at (\S+)$/gm)].map(([, address]) => String(address));
    await program.says('sign in at');
    expect((await fetch(`http://127.0.0.1:${port}/callback?code=x&state=y`)).status).toBe(404);
    await system.allow(addresses()[0] ?? '', { arrives: true });
    await program.says('before:');
    await eventually('it asks for more', () => addresses().length === 2);
    await system.allow(addresses()[1] ?? '', { arrives: true });
    await program.says('after:');
    expect(program.said()).toContain('Water the plants');
    expect(await program.ended).toBe(0);
  });
});
