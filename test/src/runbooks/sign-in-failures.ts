// The fault: somebody has people known by a claim that the identity provider does not give.
import { expect } from '@jest/globals';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type Attempts = { items: { id: string; cause: string; connectionId: string }[] };
type Revisions = { items: { revision: number }[] };

export async function rehearseSignInFailures(credentials: Credentials): Promise<void> {
  const runbook = openRunbook('sign-in-failures');
  const { tenant, api } = await freshTenant(credentials, 'failing');
  const [alice] = credentials.demoUsers as [Credentials['demoUsers'][0]];
  const app = await registerProductApp(api, credentials, tenant);
  const { connectionId: CONNECTION } = tenant;
  const before = { ...variablesOf(credentials), TENANT: tenant.slug, CONNECTION, ATTEMPT: '', REVISION: '' };
  const { tokens } = await signIn(app, tenant, alice);

  await api.patch(`${credentials.urls.auth}/v1/tenants/${tenant.id}/sso-connections/${CONNECTION}`, {
    identifier: { type: 'employee_id', attribute: 'employeeNumber' },
  });
  await expect(signIn(app, tenant, alice)).rejects.toThrow();

  await runbook.run('readyz', before);
  const failed = JSON.parse((await runbook.run('outcome=failed', before)).out) as Attempts;
  expect(failed.items).toMatchObject([{ cause: 'attribute_missing', connectionId: CONNECTION }]);
  const withAttempt = { ...before, ATTEMPT: failed.items[0]?.id ?? '' };
  expect((await runbook.run('$ATTEMPT', withAttempt)).out).toContain('"steps"');
  expect((await runbook.run(':test', withAttempt)).out).toContain('"works": true');
  const { items } = JSON.parse((await runbook.run('/revisions', withAttempt)).out) as Revisions;
  const lasting = { ...withAttempt, REVISION: String(items[1]?.revision) };
  expect((await runbook.run(':rollback', lasting)).out).toContain('"secretReplacedSince"');
  await signIn(app, tenant, alice);
  const succeeded = JSON.parse((await runbook.run('outcome=succeeded', lasting)).out) as Attempts;
  expect(succeeded.items).toHaveLength(2);
  expect(tokens.refresh_token).toEqual(expect.any(String));
  runbook.isDone();
}
