// Two thousand operations while each service in turn is killed with SIGKILL and started again, and broker and store
// once each. What was acknowledged is in the audit log exactly once, in the order of its aggregate.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { formats, verifyLines } from '@reeve/audit-log';
import { type Api, ApiError } from '@reeve/local/api';
import { send, signedWebhook } from '@reeve/local/partner';
import { beginSignIn, callback, registerProductApp } from '@reeve/local/product-app';
import { type Credentials, serviceNames } from '@reeve/local/system';
import { createBrowser } from '@reeve/testing/browser';
import { eventually } from '@reeve/testing/eventually';
import * as client from 'openid-client';
import { asLines, auditKeys, exportLines, recordsIn } from '../support/audit.ts';
import { instancesAtLeast, type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { freshTenant, type TestTenant } from '../support/running-system.ts';

const operationsAtLeast = 2_000;
const workers = 6;
const minutes = 60_000;

/** What an acknowledged operation promises: these types, in this order, once each, about this target. */
type Promised = { target: string; types: string[] };

let own: OwnSystem;
let credentials: Credentials;
let tenants: TestTenant[];

beforeAll(async () => {
  own = await startOwnSystem('chaos');
  credentials = own.system.credentials;
  tenants = [await freshTenant(credentials, 'first'), await freshTenant(credentials, 'second')];
}, 2 * minutes);

afterAll(() => own.stop(), minutes);

/**
 * A caller that does not give up: the same request again until it is acknowledged. A refusal that is not about the
 * outage is a bug.
 */
async function insist<T>(attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + minutes;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const isAway =
        error instanceof ApiError && (error.status === 503 || (instancesAtLeast > 1 && error.status === 502));
      const passing = !(error instanceof ApiError) || isAway || error.code === 'request_in_progress';
      if (!passing || Date.now() > end) throw error;
      await sleep(100);
    }
  }
}

const post = <T>(api: Api, url: string, body?: unknown): Promise<T> => {
  const headers = { 'Idempotency-Key': randomUUID() };
  return insist(() => api.post<T>(url, body, { headers }));
};

async function userLife({ api, tenant }: TestTenant): Promise<Promised & { operations: number }> {
  const base = `${credentials.urls.provisioning}/v1/tenants/${tenant.id}/users`;
  const { id } = await post<{ id: string }>(api, base, { email: `${randomUUID()}@example.org` });
  await post(api, `${base}/${id}:deactivate`);
  await post(api, `${base}/${id}:reactivate`);
  return {
    operations: 3,
    target: id,
    types: ['user.created', 'role.assigned', 'user.deactivated', 'user.reactivated'],
  };
}

async function installationLife({ api, tenant }: TestTenant): Promise<Promised & { operations: number }> {
  const base = `${credentials.urls.connectorConsent}/v1/tenants/${tenant.id}/installations`;
  const { id } = await post<{ id: string }>(api, `${base}:request`, {
    connectorId: 'demo-calendar',
    scopes: ['calendar.read'],
  });
  await post(api, `${base}/${id}:approve`);
  return { operations: 2, target: id, types: ['installation.requested', 'installation.approved'] };
}

async function clientLife({ api, tenant }: TestTenant): Promise<Promised & { operations: number }> {
  const base = `${credentials.urls.auth}/v1/tenants/${tenant.id}/clients`;
  const { clientId } = await post<{ clientId: string }>(api, base, { name: 'a client' });
  return { operations: 1, target: clientId, types: ['client.created'] };
}

type Hook = { url: string; secret: string };

async function delivery({ url, secret }: Hook): Promise<Promised & { operations: number }> {
  const webhook = signedWebhook(secret, { at: Date.now() });
  const id = await insist(async () => {
    const response = await send(url, webhook);
    const answer = (await response.json()) as { id: string; code?: string };
    if (!response.ok) throw new ApiError('POST', url, { status: response.status, problem: answer });
    return answer.id;
  });
  return { operations: 1, target: id, types: ['delivery.accepted'] };
}

describe('under kills', () => {
  test(
    'every acknowledged operation is in the audit log exactly once, in the order of its aggregate',
    async () => {
      const hooks = await Promise.all(
        tenants.map(({ api, tenant }) =>
          api.post<Hook>(`${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`, {
            connectorId: 'chaos',
          }),
        ),
      );
      const promised: Promised[][] = tenants.map(() => []);
      let operations = 0;
      let killing = true;

      async function work(worker: number): Promise<void> {
        for (let round = worker; killing || operations < operationsAtLeast; round += 1) {
          const index = round % tenants.length;
          const own = tenants[index] as TestTenant;
          const life = [userLife, clientLife, installationLife][round % 3] ?? userLife;
          for (const done of [
            await life(own),
            await delivery(hooks[index] as Hook),
            await delivery(hooks[index] as Hook),
          ]) {
            promised[index]?.push(done);
            operations += done.operations;
          }
        }
      }

      async function kill(): Promise<void> {
        for (const [index, name] of serviceNames.entries()) {
          await sleep(1_000);
          await own.system.crash(name);
          if (index === 2) await own.restartKafka();
          if (index === 3) await own.restartMongodb();
        }
        killing = false;
      }

      await Promise.all([kill(), ...Array.from({ length: workers }, (_, worker) => work(worker))]);
      expect(operations).toBeGreaterThanOrEqual(operationsAtLeast);

      for (const [index, { api, tenant }] of tenants.entries()) {
        const expected = promised[index] ?? [];
        const count = expected.reduce((sum, { types }) => sum + types.length, 0);
        const isPromised = new Set(expected.map(({ target }) => target));
        const lines = await eventually(
          `${count} records of what was acknowledged`,
          async () => {
            const found = await exportLines(api, credentials, tenant);
            const hits = recordsIn(found).filter(({ target }) => isPromised.has(target.id ?? ''));
            return hits.length >= count ? found : null;
          },
          2 * minutes,
        );
        const log = recordsIn(lines);
        const keys = await auditKeys(credentials);
        expect(await verifyLines(asLines(lines), { format: formats.ndjson, keys })).toMatchObject({ finding: null });
        expect(new Set(log.map(({ eventId }) => eventId)).size).toBe(log.length);
        const typesByTarget = new Map<string, string[]>();
        for (const { target, type } of log)
          if (target.id !== null) typesByTarget.set(target.id, [...(typesByTarget.get(target.id) ?? []), type]);
        const wrong = expected
          .filter(({ target, types }) => typesByTarget.get(target)?.join() !== types.join())
          .map(({ target, types }) => ({ target, types, found: typesByTarget.get(target) }));
        expect(wrong).toEqual([]);
        expect(log.every(({ tenantId }) => tenantId === tenant.id)).toBe(true);
      }
    },
    8 * minutes,
  );

  test(
    'a sign-in goes on where it was, whichever of its steps auth was killed before, and nothing of it is there twice',
    async () => {
      const [{ api, tenant }] = tenants as [TestTenant];
      const [person] = credentials.demoUsers as [Credentials['demoUsers'][0]];
      const { auth } = credentials.urls;
      const app = await registerProductApp(api, credentials, tenant);
      const sessions: string[] = [];
      // While the person is at the identity provider; then before what the browser comes back to, in that order.
      for (const step of [callback, `${auth}/oidc/`, `${auth}/interaction/`]) {
        const browser = createBrowser();
        const { url, checks } = await beginSignIn(app, tenant);
        const login = await browser.open(url, callback);
        if (step === callback) await own.system.crash('auth');
        const left = await browser.submit(login, person, step);
        if (step !== callback) await own.system.crash('auth');
        const returned = step === callback ? left : await browser.open(left.url, callback);
        const tokens = await client.authorizationCodeGrant(app.configuration, returned.url, checks);
        sessions.push(tokens.claims()?.['sid'] as string);
      }
      expect(new Set(sessions).size).toBe(sessions.length);
      const log = await eventually('the sessions in the log', async () => {
        const records = recordsIn(await exportLines(api, credentials, tenant));
        const created = records.filter(({ type }) => type === 'session.created');
        return created.length >= sessions.length ? created : null;
      });
      expect(new Set(log.map(({ target }) => target.id))).toEqual(new Set(sessions));
      expect(log).toHaveLength(sessions.length);
    },
    3 * minutes,
  );
});
