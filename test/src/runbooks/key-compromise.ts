// The fault: somebody else has the key that signs access tokens.
import { expect } from '@jest/globals';
import { platformApi } from '@reeve/local/seed';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { freshTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

type Keys = { keys: { kid: string }[] };

/** Gives what has to hold in the end: services keep keys for a minute. */
export async function rehearseKeyCompromise(credentials: Credentials): Promise<() => Promise<void>> {
  const runbook = openRunbook('key-compromise');
  const { tenant, api } = await freshTenant(credentials, 'compromised');
  const users = `${credentials.urls.provisioning}/v1/tenants/${tenant.id}/users`;
  const forged = await api.tokenFor(credentials.urls.provisioning);
  const shows = async (token: string) => (await fetch(users, { headers: { authorization: `Bearer ${token}` } })).status;
  expect(await shows(forged)).toBe(200);

  const variables = variablesOf(credentials);
  const signing = (out: string) => /access_token +ES256 +signing +(\S+)/.exec(out)?.[1];
  const before = signing((await runbook.run('signing-keys list', variables)).out);
  const after = signing((await runbook.run('rotate access_token', variables)).out);
  await runbook.run('rotate id_token', variables);
  expect(after).not.toBe(before);
  const { keys } = JSON.parse((await runbook.run('/jwks', variables)).out) as Keys;
  expect(keys.map(({ kid }) => kid)).toContain(after);
  expect(keys.map(({ kid }) => kid)).not.toContain(before);
  runbook.isDone();

  return async () => {
    await eventually('what it has signed is refused', async () => (await shows(forged)) === 401, 90_000);
    // A token by the key that signs now is taken.
    expect(await shows(await platformApi(credentials).tokenFor(credentials.urls.provisioning))).toBe(200);
  };
}
