// `npm run demo`: the main job once against the running system, each step with what it proves. Exit code 1 when a step
// does not hold.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formats, type KeySet, verifyLines } from '@reeve/audit-log';
import { eventually } from '@reeve/testing/eventually';
import colors from 'picocolors';
import { commandLine } from '../command-line.ts';
import { approveDemoConnector, consent, endpointOf } from '../connector-story.ts';
import { send, signedWebhook } from '../partner.ts';
import { localDirectory } from '../paths.ts';
import { refresh, registerProductApp, signIn } from '../product-app.ts';
import { seedTenant, tenantApi } from '../seed.ts';
import type { Credentials } from '../system.ts';

commandLine('npm run demo', {
  does:
    'Walks once through what Reeve is for, against the system that `npm start` runs, and says of each step what it proves. ' +
    'The exit code is 1 when a step does not hold.',
  variables: [],
}).parse();

const file = join(localDirectory, 'credentials.json');
if (!existsSync(file)) {
  console.error('reeve: there is no running system. Run `npm start` in another terminal first.');
  process.exit(1);
}
const credentials = JSON.parse(readFileSync(file, 'utf8')) as Credentials;
const { urls } = credentials;
let step = 0;

/** Runs a step, prints what came of it and what that proves. */
async function prove<T>(title: string, work: () => Promise<{ result: T; seen: string }>): Promise<T> {
  step += 1;
  try {
    const { result, seen } = await work();
    console.log(`${colors.green('✓')} ${String(step).padStart(2)}. ${title}\n      ${colors.dim(seen)}`);
    return result;
  } catch (error) {
    console.error(
      `${colors.red('✗')} ${String(step).padStart(2)}. ${title}\n      ${error instanceof Error ? error.message : String(error)}`,
    );
    if (error instanceof TypeError && error.message === 'fetch failed')
      console.error('      Is `npm start` still running?');
    return process.exit(1);
  }
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}

// A tenant of this run's own, so that what is counted at the end is what happened here.
const run = Date.now().toString(36);
const { tenant, api } = await prove(
  'A tenant with its own SSO connection and a client that reaches no other',
  async () => {
    const made = await seedTenant(credentials, { slug: `demo-${run}`, name: `Demo ${run}` });
    return { result: { tenant: made, api: await tenantApi(credentials, made) }, seen: `${made.slug} is ${made.id}` };
  },
);
const person = credentials.demoUsers[0] ?? { email: '', password: '' };

const app = await prove('An application of the product, with any OpenID Connect library', async () => {
  const result = await registerProductApp(api, credentials, tenant);
  return { result, seen: `client ${result.clientId}: authorization code with PKCE, state and nonce` };
});

const session = await prove(
  'A person signs in through the company’s identity provider and is provisioned just in time',
  async () => {
    const result = await signIn(app, tenant, person);
    must(result.claims['tid'] === tenant.id, 'the ID token is for another tenant');
    return {
      result,
      seen: `${person.email} is ${result.claims.sub}, session ${result.claims['sid'] as string}, roles ${JSON.stringify(result.claims['roles'])}`,
    };
  },
);

await prove('A directory pushes a user by SCIM', async () => {
  const directory = await api.post<{ baseUrl: string; token: string }>(
    `${urls.provisioning}/v1/tenants/${tenant.id}/directories`,
    { name: 'Demo directory' },
  );
  const response = await fetch(`${directory.baseUrl}/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${directory.token}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: `ada-${run}@acme.example`,
      displayName: 'Ada Lovelace',
    }),
  });
  must(response.status === 201, `SCIM answered ${response.status}`);
  const user = (await response.json()) as { id: string; userName: string };
  return { result: null, seen: `${user.userName} is ${user.id}` };
});

const installation = await prove('A connector is approved, consented to and connected at the third party', async () => {
  const result = await approveDemoConnector(api, credentials, tenant);
  const { end } = await consent(session.browser, result, { ...person, scopes: ['calendar.read'] });
  must(end.text.includes('is connected'), 'the connector was not connected');
  return {
    result,
    seen: 'one of two scopes was allowed; the exact text shown is recorded; the tokens are in the vault',
  };
});

const { endpoint, secret } = await prove('The installation brought a webhook endpoint of its own', async () => {
  const result = await endpointOf(api, credentials, tenant, installation);
  return { result, seen: result.endpoint.url };
});

await prove('A signed webhook is accepted once, its duplicate answered alike, a forged one refused', async () => {
  const webhook = signedWebhook(secret, { type: 'calendar.event.created', run });
  const [first, again, forged] = [
    await send(endpoint.url, webhook),
    await send(endpoint.url, webhook),
    await send(endpoint.url, { ...webhook, id: 'msg_forged' }),
  ];
  must(
    first.status === 202 && again.status === 200 && forged.status === 401,
    `answers were ${first.status}, ${again.status}, ${forged.status}`,
  );
  return { result: null, seen: '202 accepted (durable), 200 the same answer, 401 without a hint' };
});

await prove('De-provisioning reaches every path', async () => {
  const began = performance.now();
  await api.post(`${urls.provisioning}/v1/tenants/${tenant.id}/users/${session.claims.sub}:deactivate`);
  const sessionEnded = eventually('the end of the session', async () => {
    const { items } = await api.get<{ items: { status: string }[] }>(
      `${urls.auth}/v1/tenants/${tenant.id}/users/${session.claims.sub}/sessions`,
    );
    return items.every(({ status }) => status === 'revoked') && performance.now();
  });
  const consentEnded = eventually('the end of the consent', async () => {
    const { items } = await api.get<{ items: { status: string }[] }>(
      `${urls.connectorConsent}/v1/tenants/${tenant.id}/installations/${installation.id}/consents`,
    );
    return items.every(({ status }) => status === 'revoked') && performance.now();
  });
  const [sessionAt, consentAt] = await Promise.all([sessionEnded, consentEnded]);
  const refused = await refresh(app, String(session.tokens.refresh_token)).then(
    () => false,
    () => true,
  );
  must(refused, 'the refresh token still works');
  return {
    result: null,
    seen: `session after ${Math.round(sessionAt - began)} ms, consent and its token after ${Math.round(consentAt - began)} ms, refresh token refused`,
  };
});

const lines = await prove('The audit log holds the whole story and leaves as an export', async () => {
  const result = await eventually('the end of the delegated token in the log', async () => {
    const text = await (
      await api.send('GET', `${urls.audit}/v1/tenants/${tenant.id}/audit/export?format=ndjson`)
    ).text();
    return text.includes('"delegated_token.revoked"') && text.split('\n').filter(line => line !== '');
  });
  const [, ...records] = result;
  const types = new Set(records.map(line => (JSON.parse(line) as { type: string }).type));
  return { result, seen: `${records.length} records of ${types.size} types` };
});

async function* from(list: readonly string[]): AsyncGenerator<string> {
  yield* list;
}

const keys = (await (await fetch(`${urls.audit}/.well-known/reeve-audit-keys`)).json()) as KeySet;
const verify = (of: readonly string[]) => verifyLines(from(of), { format: formats.ndjson, keys });

await prove('The export verifies offline, with nothing of Reeve at hand but its public key', async () => {
  const { finding, chains, checkpoint } = await verify(lines);
  must(finding === null, `it does not verify: ${finding?.detail ?? ''}`);
  return { result: null, seen: `${chains.length} chains without a gap up to checkpoint ${checkpoint?.number}` };
});

await prove('One flipped character is found', async () => {
  const at = Math.floor(lines.length / 2);
  const flipped = lines.map((line, index) => (index === at ? line.replace('"subject":"', '"subject":"x') : line));
  const { finding } = await verify(flipped);
  must(finding?.line === at + 1, 'it was not found');
  return { result: null, seen: `line ${finding?.line}: ${finding?.problem}` };
});

await prove('So is a record that was cut off at the end', async () => {
  const { finding } = await verify(lines.slice(0, -1));
  must(finding?.problem === 'truncated', 'it was not found');
  return { result: null, seen: String(finding?.detail) };
});
console.log(colors.green('everything holds'));
