// Alerts end to end: what happens in the other services, what the rules make of it, and who is told.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { createEventBus } from '@reeve/event-bus';
import { refresh, registerProductApp, signIn } from '@reeve/local/product-app';
import { eventually } from '@reeve/testing/eventually';
import { logWith } from '../support/audit.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Alert = {
  id: string;
  rule: string;
  subject: string;
  status: string;
  severity: string;
  evidence: { eventId: string; type: string }[];
  acknowledgedBy: { id: string } | null;
  note: string | null;
};
type Page<T> = { items: T[] };

const credentials = runningSystem();
let own: TestTenant;
let audit: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'alerts');
  audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
});

const alertOf = (rule: string) =>
  eventually(
    `an alert by ${rule}`,
    async () => (await own.api.get<Page<Alert>>(`${audit}/alerts?rule=${rule}`)).items[0] ?? null,
  );
const problemOf = async (answer: Promise<Response>) => {
  const response = await answer;
  const body = (await response.json()) as { code: string; errors?: { field: string }[] };
  return [response.status, body.code, body.errors?.map(({ field }) => field) ?? []];
};

describe('alerts', () => {
  test('a refresh token used twice raises one, whose evidence is in the log', async () => {
    const app = await registerProductApp(own.api, credentials, own.tenant);
    const { tokens, claims } = await signIn(app, own.tenant, demoUser(credentials));
    const used = String(tokens.refresh_token);
    await refresh(app, used);
    // Until the grace is over it is one of those who refreshed at the same moment.
    await new Promise(resolve => setTimeout(resolve, 2_500));
    await expect(refresh(app, used)).rejects.toMatchObject({ error: 'invalid_grant' });
    const alert = await alertOf('refresh_token_reuse');
    expect(alert).toMatchObject({ subject: claims.sub, severity: 'high', status: 'open' });
    const [shown] = alert.evidence;
    expect(await own.api.get(`${audit}/events/${shown?.eventId}`)).toMatchObject({
      type: 'token.reuse_detected',
      outcome: 'denied',
      actor: { type: 'client', id: app.clientId },
      details: { userId: claims.sub },
    });
    const log = await logWith(
      { ...own, credentials },
      found => found.some(({ type }) => type === 'alert.raised'),
      'it',
    );
    expect(log.find(({ type }) => type === 'alert.raised')).toMatchObject({ target: { type: 'alert', id: alert.id } });
  });

  test('forged webhooks raise one by the threshold of the tenant; it is on the topic of alerts, and is acknowledged', async () => {
    const rule = `${audit}/alert-rules/webhook_signature_failures`;
    const changed = await own.api.send('PATCH', rule, { body: { thresholds: { count: 3 } } });
    expect(await changed.json()).toMatchObject({ enabled: true, thresholds: { count: { value: 3, default: 20 } } });
    // The rules know of it within five seconds.
    await new Promise(resolve => setTimeout(resolve, 5_500));
    const endpoint = await own.api.post<{ id: string; url: string }>(
      `${credentials.urls.webhookIngress}/v1/tenants/${own.tenant.id}/webhook-endpoints`,
      { connectorId: 'partner' },
    );
    for (let n = 0; n < 3; n += 1) {
      const headers = {
        'content-type': 'application/json',
        'webhook-id': `msg_${n}`,
        'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
        'webhook-signature': `v1,${Buffer.alloc(32).toString('base64')}`,
      };
      expect((await fetch(endpoint.url, { method: 'POST', headers, body: '{}' })).status).toBe(401);
    }
    const alert = await alertOf('webhook_signature_failures');
    expect(alert).toMatchObject({ subject: endpoint.id });
    expect(alert.evidence.length).toBeGreaterThanOrEqual(3);
    const ofEndpoint = async () => {
      const found: { class_uid: number; finding_info: { uid: string } }[] = [];
      const bus = createEventBus({ brokers: [credentials.kafka], clientId: 'test' });
      await bus.readTopics(['reeve.alert.v1'], ({ message: { value } }) => {
        found.push(JSON.parse(value?.toString() ?? '') as (typeof found)[number]);
        return Promise.resolve();
      });
      await bus.stop();
      return found.find(({ finding_info }) => finding_info.uid === alert.id) ?? null;
    };
    expect(await eventually('the alert on its topic', ofEndpoint)).toMatchObject({ class_uid: 2004 });

    const acknowledge = `${audit}/alerts/${alert.id}:acknowledge`;
    const seen = await own.api.post<Alert>(acknowledge, { note: 'a partner with an old secret' });
    expect(seen).toMatchObject({ status: 'acknowledged', note: 'a partner with an old secret' });
    expect(seen.acknowledgedBy?.id).toEqual(expect.any(String));
    expect(await own.api.get(`${audit}/alerts?status=acknowledged`)).toMatchObject({ items: [{ id: alert.id }] });
    await logWith({ ...own, credentials }, found => found.some(({ type }) => type === 'alert.acknowledged'), 'it');
  }, 30_000);

  test('of another tenant are not there', async () => {
    const other = await freshTenant(credentials, 'alerts-other');
    const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit`;
    const { id } = await alertOf('refresh_token_reuse');
    expect(await problemOf(other.api.send('GET', `${theirs}/alerts/${id}`))).toEqual([404, 'not_found', []]);
    expect(await problemOf(other.api.send('POST', `${theirs}/alerts/${id}:acknowledge`, { body: {} }))).toEqual([
      404,
      'not_found',
      [],
    ]);
    expect(await other.api.get(`${theirs}/alerts`)).toMatchObject({ items: [] });
  });
});

describe('a rule', () => {
  test('says what it needs, and is changed and set back', async () => {
    const { items } = await own.api.get<Page<{ id: string; available: boolean }>>(`${audit}/alert-rules`);
    expect(items).toHaveLength(12);
    expect(items.find(({ id }) => id === 'impossible_travel')).toMatchObject({ available: false });
    const rule = `${audit}/alert-rules/consent_spike`;
    const send = async (body: unknown): Promise<unknown> => (await own.api.send('PATCH', rule, { body })).json();
    expect(await send({ enabled: false, thresholds: { minutes: 30 } })).toMatchObject({
      enabled: false,
      thresholds: { minutes: { value: 30 }, count: { value: 20 } },
    });
    expect(await send({ thresholds: { minutes: null } })).toMatchObject({
      enabled: false,
      thresholds: { minutes: { value: 60 } },
    });
  });

  test.each([
    ['a threshold that it has not', { thresholds: { hours: 3 } }, 'thresholds.hours'],
    ['a threshold with the name of a method', { thresholds: { constructor: 3 } }, 'thresholds.constructor'],
    ['less than may be', { thresholds: { count: 0 } }, 'thresholds.count'],
    ['more than may be', { thresholds: { minutes: 1_000_000 } }, 'thresholds.minutes'],
    ['a part of a number', { thresholds: { count: 1.5 } }, 'thresholds.count'],
  ])('is not changed to %s', async (_, body, field) => {
    expect(await problemOf(own.api.send('PATCH', `${audit}/alert-rules/consent_spike`, { body }))).toEqual([
      400,
      'input_invalid',
      [field],
    ]);
  });

  test('that there is not is not changed', async () => {
    for (const id of ['nothing', 'toString'])
      expect(await problemOf(own.api.send('PATCH', `${audit}/alert-rules/${id}`, { body: {} }))).toEqual([
        404,
        'not_found',
        [],
      ]);
  });
});
