import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allowedNetworksSchema, networksFor } from './allowed-networks.ts';
import { createGuardedFetch, createGuardedNetwork } from './outbound.ts';

describe('the SSRF guard', () => {
  let origin: string;
  const server = createServer((request, response) => {
    if (request.url === '/redirect') return void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    if (request.url === '/large') return void response.end(Buffer.alloc(1_000_000));
    if (request.url === '/slow') return undefined;
    return void response.end('{"ok":true}');
  });
  beforeAll(async () => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const guarded = createGuardedFetch({ allowedPrivateOrigins: [], timeoutMs: 500 });

  test.each([
    'http://example.org/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://user:pass@example.org/',
    'file:///etc/passwd',
    'ftp://example.org/',
  ])('%s is refused before anything is sent', async url => {
    await expect(guarded(url)).rejects.toMatchObject({ code: 'url_refused' });
  });

  test('a name that leads to a private address is refused by the connection’s own look-up', async () => {
    await expect(guarded('https://localhost:4433/')).rejects.toMatchObject({ code: 'url_refused' });
  });

  test('an opened origin is fetched: that exact one, without following redirects, within size and time', async () => {
    const open = createGuardedFetch({ allowedPrivateOrigins: [origin], timeoutMs: 500, maxBytes: 1_000 });
    expect(await (await open(`${origin}/`)).json()).toEqual({ ok: true });
    expect((await open(`${origin}/redirect`)).status).toBe(302);
    await expect(open(`${origin}/large`)).rejects.toMatchObject({ code: 'url_refused' });
    await expect(open(`${origin}/slow`)).rejects.toThrow();
    await expect(open(origin.replace(/\d$/, digit => String((Number(digit) + 1) % 10)))).rejects.toMatchObject({
      code: 'url_refused',
    });
  });

  test('of a network inside that is open, what speaks TLS is reached, and nothing else is', async () => {
    const networkOf = (text: string) =>
      createGuardedNetwork({
        allowedPrivateOrigins: [],
        allowed: networksFor(allowedNetworksSchema.parse(text), 'sinks'),
        timeoutMs: 500,
      });
    const { port } = new URL(origin);
    const open = networkOf('sinks=127.0.0.1');
    // It is spoken to: what stands there has no TLS.
    const failed = await open.fetch(`https://127.0.0.1:${port}/`).then(
      () => null,
      (error: { code?: string; cause?: { code?: string } }) => error.code ?? error.cause?.code,
    );
    expect(failed).toMatch(/^(ERR_SSL|EPROTO|ECONNRESET|UND_ERR)/);
    expect(() => open.assertUrl(origin)).toThrow('only https');
    expect(() => open.assertUrl('https://127.0.0.1/')).not.toThrow();
    expect(() => open.assertAddress({ host: '127.0.0.1', port: 6514 })).not.toThrow();
    for (const other of [open, networkOf('connectors=127.0.0.1')]) {
      const url = other === open ? 'https://127.0.0.2/' : 'https://127.0.0.1/';
      await expect(other.fetch(url)).rejects.toMatchObject({ code: 'url_refused' });
      expect(() => other.assertAddress({ host: new URL(url).hostname, port: 1 })).toThrow('REEVE_ALLOWED_NETWORKS');
    }
  });
});
