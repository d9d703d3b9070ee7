// Removal as a tenant's administrators do it: retention, legal holds, and deletion that two people agree on; and what
// a reader then finds.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@reeve/testing/eventually';
import { type AuditEvent, auditKeys, exportLines, logWith } from '../support/audit.ts';
import { reeve } from '../support/cli.ts';
import { type PersonApi, signedInAs } from '../support/person.ts';
import { demoUser, freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
let own: TestTenant;
let audit: string;
let ada: PersonApi;
let ben: PersonApi;

type Request = { id: string; status: string; records: number; removed: number; held: number; removesAt: string | null };
type Code = { code: string; errors?: { field: string }[] };

const codeOf = async (answer: Promise<Response>) => {
  const response = await answer;
  return [response.status, ((await response.json()) as Code).code];
};

beforeAll(async () => {
  own = await freshTenant(credentials, 'removal');
  audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
  const resource = credentials.urls.audit;
  ada = await signedInAs({ ...own, credentials }, { person: demoUser(credentials), role: 'tenant_admin', resource });
  ben = await signedInAs({ ...own, credentials }, { person: demoUser(credentials, 1), role: 'tenant_admin', resource });
}, 60_000);

const requestIs = (id: string, status: string) =>
  eventually(`a request that is ${status}`, async () => {
    const request = await own.api.get<Request>(`${audit}/deletion-requests/${id}`);
    return request.status === status ? request : null;
  });

describe('retention', () => {
  test('counts at once where it keeps for longer, after the delay where it keeps for less', async () => {
    type Shown = { classes: { class: string; days: number | null; before: { days: number | null } | null }[] };
    const of = ({ classes }: Shown, name: string) => classes.find(one => one.class === name);
    const change = (classes: unknown) =>
      own.api.send('PATCH', `${audit}/retention`, { body: { classes } }).then(async one => (await one.json()) as Shown);
    expect(of(await own.api.get<Shown>(`${audit}/retention`), 'auth')).toMatchObject({ days: null, before: null });
    expect(of(await change({ auth: 365, webhook: 90 }), 'auth')).toMatchObject({ days: 365, before: { days: null } });
    expect(of(await change({ auth: null }), 'auth')).toMatchObject({ days: null, before: null });
    expect(of(await change({ auth: 30 }), 'webhook')).toMatchObject({ days: 90 });
    await logWith({ ...own, credentials }, log => log.some(({ type }) => type === 'retention.updated'), 'the change');
  });

  test.each([
    ['no class', {}, 'classes'],
    ['a class that there is not', { people: 3 }, 'classes.people'],
    ['no days', { auth: 0 }, 'classes.auth'],
    ['half a day', { auth: 0.5 }, 'classes.auth'],
  ])('is refused with %s', async (_, classes, field) => {
    const response = await own.api.send('PATCH', `${audit}/retention`, { body: { classes } });
    expect(response.status).toBe(400);
    expect(((await response.json()) as Code).errors?.map(one => one.field).join()).toContain(field.split('.')[0]);
  });
});

describe('a deletion request', () => {
  test('is made by one person, confirmed by another, waits, and removes; the log then says so and verifies', async () => {
    await own.api.post(`${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`, {
      email: 'leaver@example.org',
      displayName: 'Leaver',
    });
    const isLeaver = ({ type, details }: AuditEvent) =>
      type === 'user.created' && details['email'] === 'leaver@example.org';
    const log = await logWith({ ...own, credentials }, found => found.some(isLeaver), 'the user');
    const leaver = log.find(isLeaver)?.target.id;
    const body = { scope: { about: leaver }, reason: 'asked to be forgotten' };
    expect(await codeOf(own.api.send('POST', `${audit}/deletion-requests`, { body }))).toEqual([
      422,
      'person_required',
    ]);
    const request = await ada.json<Request>('POST', `${audit}/deletion-requests`, body);
    expect(request).toMatchObject({ status: 'awaiting_confirmation', requestedBy: { id: ada.id }, removesAt: null });
    expect(request.records).toBeGreaterThan(0);
    const confirm = `${audit}/deletion-requests/${request.id}:confirm`;
    expect(await codeOf(ada.send('POST', confirm))).toEqual([409, 'second_person_required']);
    expect(await codeOf(own.api.send('POST', confirm))).toEqual([422, 'person_required']);
    expect(await ben.json('POST', confirm)).toMatchObject({ status: 'confirmed', confirmedBy: { id: ben.id } });
    expect(await codeOf(ben.send('POST', confirm))).toEqual([409, 'deletion_request_state']);
    expect(await own.api.get(`${audit}/events?about=${leaver}`)).not.toMatchObject({ items: [] });

    const done = await requestIs(request.id, 'done');
    expect(done.removed).toBe(request.records);
    const left = await logWith(
      { ...own, credentials },
      found => found.some(({ type }) => type === 'deletion.completed'),
      'its end',
    );
    expect(left.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['deletion.requested', 'deletion.confirmed', 'records.removed']),
    );
    expect(left.some(({ type, target }) => type === 'user.created' && target.id === leaver)).toBe(false);

    const directory = mkdtempSync(join(tmpdir(), 'reeve-removal-'));
    const keys = join(directory, 'keys.json');
    writeFileSync(keys, JSON.stringify(await auditKeys(credentials)));
    for (const format of ['ndjson', 'ocsf', 'cef', 'csv'] as const) {
      const lines = await exportLines(own.api, credentials, own.tenant, format);
      expect(lines.join('\n')).not.toContain('leaver@example.org');
      const file = join(directory, `export.${format}`);
      writeFileSync(file, `${lines.join('\n')}\n`);
      const { code, out } = await reeve(['audit', 'verify', file, '--format', format, '--keys', keys]);
      expect([format, code, out]).toEqual([
        format,
        0,
        expect.stringContaining(`places of ${done.removed} that were removed`),
      ]);
      // The tombstone is what lets it verify.
      const without = lines.filter(line => !isTombstone(line));
      expect(without.length).toBeLessThan(lines.length);
      writeFileSync(file, `${without.join('\n')}\n`);
      expect((await reeve(['audit', 'verify', file, '--format', format, '--keys', keys])).out).toMatch(
        /missing|truncated/,
      );
    }
    expect(await own.api.get(`${audit}/verify`)).toMatchObject({ finding: null, removed: done.removed });
  }, 60_000);

  test('can be cancelled, and a legal hold wins over it', async () => {
    const hold = await own.api.post<{ id: string }>(`${audit}/legal-holds`, {
      name: 'Case 7',
      reason: 'counsel asked',
      scope: { classes: ['directory'] },
    });
    const body = { scope: { classes: ['directory'] }, reason: 'all of it' };
    const first = await ada.json<Request>('POST', `${audit}/deletion-requests`, body);
    await ben.json('POST', `${audit}/deletion-requests/${first.id}:confirm`);
    const second = await ben.json<Request>('POST', `${audit}/deletion-requests`, body);
    await own.api.post(`${audit}/deletion-requests/${second.id}:cancel`, undefined);
    expect(await codeOf(ada.send('POST', `${audit}/deletion-requests/${second.id}:confirm`))).toEqual([
      409,
      'deletion_request_state',
    ]);
    const done = await requestIs(first.id, 'done');
    expect(done).toMatchObject({ removed: 0, held: first.records });
    const released = `${audit}/legal-holds/${hold.id}:release`;
    expect(await own.api.post(released, undefined)).toMatchObject({ releasedAt: expect.any(String) });
    expect(await own.api.get(`${audit}/legal-holds`)).toMatchObject({ items: [{ id: hold.id, name: 'Case 7' }] });
  }, 60_000);

  test('of another tenant is nobody’s', async () => {
    const other = await freshTenant(credentials, 'removal-other');
    const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit`;
    const request = await ada.json<Request>('POST', `${audit}/deletion-requests`, { scope: {}, reason: 'mine' });
    expect(await codeOf(ben.send('POST', `${theirs}/deletion-requests/${request.id}:confirm`))).toEqual([
      404,
      'not_found',
    ]);
    expect(await codeOf(other.api.send('GET', `${theirs}/deletion-requests/${request.id}`))).toEqual([
      404,
      'not_found',
    ]);
    await own.api.post(`${audit}/deletion-requests/${request.id}:cancel`, undefined);
  });
});

/** Whether a line holds a JWS whose header says so, whatever the format. */
function isTombstone(line: string): boolean {
  const header = /eyJ[\w-]+(?=\.eyJ)/.exec(line)?.[0] ?? '';
  return Buffer.from(header, 'base64url').toString().includes('"reeve-tombstone"');
}
