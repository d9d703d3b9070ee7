// The fault: the secret of an application and all of its tokens are somebody else's too.
import { expect } from '@jest/globals';
import { createApi } from '@reeve/local/api';
import { refresh, registerProductApp, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

const dead = { error: 'invalid_grant' };

export async function rehearseTokenRevocation(credentials: Credentials): Promise<void> {
  const runbook = openRunbook('token-revocation-incident');
  const { tenant, api } = await freshTenant(credentials, 'incident');
  const [alice, bob] = credentials.demoUsers as [Credentials['demoUsers'][0], Credentials['demoUsers'][0]];
  const leaked = await registerProductApp(api, credentials, tenant);
  const grantTypes = ['authorization_code', 'refresh_token', 'client_credentials'];
  await api.patch(`${credentials.urls.auth}/v1/tenants/${tenant.id}/clients/${leaked.clientId}`, { grantTypes });
  const other = await registerProductApp(api, credentials, tenant);
  const [stolen, elsewhere, ofBob] = [
    await signIn(leaked, tenant, alice),
    await signIn(other, tenant, alice),
    await signIn(other, tenant, bob),
  ];
  const thief = createApi(credentials, { ...leaked, scope: `tenant:${tenant.id}` });
  const sessions = `${credentials.urls.auth}/v1/tenants/${tenant.id}/sessions`;
  expect((await thief.send('GET', sessions)).status).toBe(200);
  const variables = {
    ...variablesOf(credentials),
    TENANT: tenant.slug,
    CLIENT: leaked.clientId,
    USER_ID: stolen.claims.sub,
    REEVE_REASON: 'incident 4711',
  };

  const { out } = await runbook.run(':rotate-secret', variables);
  const { clientSecret } = JSON.parse(out) as { clientSecret: string };
  // The token that was got before, and the secret itself; the new one is good.
  expect((await thief.send('GET', sessions)).status).toBe(401);
  const again = createApi(credentials, { ...leaked, scope: `tenant:${tenant.id}` });
  await expect(again.get(sessions)).rejects.toMatchObject({ code: 'invalid_client' });
  await createApi(credentials, { clientId: leaked.clientId, clientSecret, scope: `tenant:${tenant.id}` }).get(sessions);

  expect((await runbook.run('--client', variables)).out).toContain('3 live sessions looked at, 1 ended');
  const mended = await registerProductApp(api, credentials, tenant);
  await expect(refresh(leaked, String(stolen.tokens.refresh_token))).rejects.toMatchObject({ error: 'invalid_client' });
  const kept = await refresh(other, String(elsewhere.tokens.refresh_token));
  expect((await runbook.run('--user', variables)).out).toContain('1 sessions ended');
  await expect(refresh(other, String(kept.refresh_token))).rejects.toMatchObject(dead);
  const keptByBob = await refresh(other, String(ofBob.tokens.refresh_token));
  await signIn(mended, tenant, alice);
  expect((await runbook.run('--all', variables)).out).toContain('2 live sessions looked at, 2 ended');
  await expect(refresh(other, String(keptByBob.refresh_token))).rejects.toMatchObject(dead);

  expect(JSON.parse((await runbook.run('actor=', variables)).out)).toMatchObject({ items: expect.any(Array) });
  expect(JSON.parse((await runbook.run('status=live', variables)).out)).toMatchObject({ items: [] });
  runbook.isDone();
}
