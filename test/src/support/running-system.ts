// The system that `npm test` has started for this run. Suites share it: each makes tenants of its own.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Api } from '@reeve/local/api';
import { type SeededTenant, seedTenant, tenantApi } from '@reeve/local/seed';
import type { Credentials } from '@reeve/local/system';

export function runningSystem(): Credentials {
  const file = process.env['REEVE_TEST_CREDENTIALS'];
  if (file === undefined) throw new Error('there is no running system: use `npm test`, which starts one');
  return JSON.parse(readFileSync(file, 'utf8')) as Credentials;
}

export type TestTenant = { tenant: SeededTenant; api: Api };

/** A fresh tenant with an active SSO connection, and a client bound to it. */
export async function freshTenant(credentials: Credentials, name = 'tenant'): Promise<TestTenant> {
  const tenant = await seedTenant(credentials, { slug: `${name}-${randomBytes(5).toString('hex')}`, name });
  return { tenant, api: await tenantApi(credentials, tenant) };
}

export function demoUser(credentials: Credentials, index = 0): { email: string; password: string } {
  const user = credentials.demoUsers[index];
  if (!user) throw new Error('there is no such demo user');
  return user;
}
