// The quickstarts with what others wrote: each as it comes from its registry, with the files that the document has.
import { execFileSync } from 'node:child_process';
import { afterEach, expect } from '@jest/globals';
import type { OAuthClient } from '@reeve/local/oauth-clients';
import { given } from '@reeve/testing/given';
import { type RunningProgram, runProgram } from '../support/running-program.ts';
import { demoUser, runningSystem } from '../support/running-system.ts';
import { filesOf, registerClient, signInAt, startClient, stopClients } from './oauth-client.ts';
import { lackingAuthlib, lackingOauth2Proxy, lackingSpring, runningPeers } from './running-peers.ts';

const { oauth2Proxy, authlib } = runningPeers();

const secret = 'x'.repeat(32);

afterEach(stopClients);

/** With a token, without one, with one that was changed, and with one for another API. */
async function statuses(url: string, token: string, another: string) {
  const ask = async (headers: Record<string, string>) => (await fetch(url, { headers })).status;
  const [header, payload, signature = ''] = token.split('.');
  const changed = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  const bearer = (text: string) => ask({ authorization: `Bearer ${text}` });
  return [await bearer(token), await ask({}), await bearer(changed), await bearer(another)];
}

given(oauth2Proxy !== null, lackingOauth2Proxy).test(
  'oauth2-proxy lets in who signs in at Reeve, and nobody else',
  async () => {
    const { command } = oauth2Proxy as OAuthClient;
    const { credentials, registered } = await registerClient('/oauth2/callback', { hasApi: false });
    const { url, port, clientId, clientSecret } = registered;
    const files = filesOf(['oauth2-proxy.cfg']);
    const env = {
      OAUTH2_PROXY_OIDC_ISSUER_URL: credentials.issuer,
      OAUTH2_PROXY_CLIENT_ID: clientId,
      OAUTH2_PROXY_CLIENT_SECRET: clientSecret,
      OAUTH2_PROXY_COOKIE_SECRET: secret,
      OAUTH2_PROXY_REDIRECT_URL: `${url}/oauth2/callback`,
      OAUTH2_PROXY_HTTP_ADDRESS: `127.0.0.1:${port}`,
    };
    await startClient({ command, args: ['--config', 'oauth2-proxy.cfg'], cwd: files.directory, env }, `${url}/ping`);
    const { browser, page } = await signInAt(url);
    expect([page.url.href, page.status, page.text]).toEqual([`${url}/`, 200, 'Authenticated']);
    const told = JSON.parse((await browser.open(`${url}/oauth2/userinfo`)).text) as object;
    expect(told).toMatchObject({ email: demoUser(credentials).email, user: expect.stringMatching(/^usr_/) });
    expect((await fetch(url, { redirect: 'manual' })).status).toBe(302);
    expect((await fetch(`${url}/oauth2/userinfo`)).status).toBe(401);
    files.remove();
  },
);

/** An application and an API in one: what both are told, and who is let in. */
async function signsInAndProtects(
  start: (env: Record<string, string>, url: string) => Promise<RunningProgram>,
  callbackPath: string,
) {
  const { credentials, own, registered } = await registerClient(callbackPath, { hasApi: true });
  const { url, port, clientId, clientSecret, audience } = registered;
  const env = {
    ISSUER: credentials.issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    PORT: String(port),
    AUDIENCE: audience,
    SECRET_KEY: secret,
    TENANT: own.tenant.slug,
  };
  await start(env, `${url}/messages`);
  const { browser, page } = await signInAt(url);
  const person = JSON.parse(page.text) as { sub: string };
  expect(person).toMatchObject({ email: demoUser(credentials).email });
  const { text: token } = await browser.open(`${url}/token`);
  const other = await registerClient(callbackPath, { hasApi: true });
  const answer = await fetch(`${url}/messages`, { headers: { authorization: `Bearer ${token}` } });
  expect(await answer.json()).toEqual({ sub: person.sub, tenant: own.tenant.id });
  expect(await statuses(`${url}/messages`, token, await machineToken(other))).toEqual([200, 401, 401, 401]);
}

/** A good one, for another API. */
async function machineToken({ own, registered: { audience } }: Awaited<ReturnType<typeof registerClient>>) {
  const { auth } = runningSystem().urls;
  const { clientId, clientSecret } = await own.api.post<{ clientId: string; clientSecret: string }>(
    `${auth}/v1/tenants/${own.tenant.id}/applications`,
    { name: 'A machine', kind: 'machine' },
  );
  const response = await fetch(`${auth}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience, scope: 'messages:read' }),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error('there is no token for the other API');
  return token;
}

given(authlib !== null, lackingAuthlib).test('Authlib signs in at Reeve, and protects an API', async () => {
  const { command, env: own } = authlib as OAuthClient;
  const files = filesOf(['app.py']);
  const start = (env: Record<string, string>, url: string) =>
    startClient({ command, args: ['app.py'], cwd: files.directory, env: { ...own, ...env } }, url);
  await signsInAndProtects(start, '/callback');
  files.remove();
});

given(hasMaven(), lackingSpring).test(
  'Spring Security signs in at Reeve, and protects an API',
  async () => {
    const files = filesOf(['pom.xml', 'src/main/resources/application.yml', 'src/main/java/example/Application.java']);
    await runProgram({ command: 'mvn', args: ['-q', '-B', 'package'], cwd: files.directory });
    const start = (env: Record<string, string>, url: string) =>
      startClient({ command: 'java', args: ['-jar', 'target/messages-1.jar'], cwd: files.directory, env }, url);
    await signsInAndProtects(start, '/login/oauth2/code/reeve');
    files.remove();
  },
  900_000,
);

function hasMaven(): boolean {
  try {
    for (const command of ['java', 'mvn']) execFileSync(command, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
