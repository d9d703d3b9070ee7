// What an auditor is handed, checked with the CLI and the public keys alone: exports, proofs, checkpoints and the
// topic itself.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Checkpoint, formats, type InclusionProof, type KeySet, verifyLines } from '@reeve/audit-log';
import { newEventId } from '@reeve/contracts';
import { createEventBus } from '@reeve/event-bus';
import { type AuditEvent, asLines, auditKeys, exportLines, logWith, readLog, recordsIn } from '../support/audit.ts';
import { reeve } from '../support/cli.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

const credentials = runningSystem();
const directory = mkdtempSync(join(tmpdir(), 'reeve-proofs-'));
let own: TestTenant;
let audit: string;
let keys: string;
let log: AuditEvent[];

const users = () => `${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`;

beforeAll(async () => {
  own = await freshTenant(credentials, 'proofs');
  audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
  for (const name of ['one', 'two', 'three']) await own.api.post(users(), { email: `${name}@example.org` });
  keys = file('keys.json', JSON.stringify(await auditKeys(credentials)));
  const where = { ...own, credentials };
  log = await logWith(where, found => found.filter(({ type }) => type === 'user.created').length === 3, 'three users');
});

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const audited = (...parameters: string[]) => reeve(['audit', ...parameters]);

const created = (index = 0) => log.filter(({ type }) => type === 'user.created')[index] as AuditEvent;

describe('the public keys', () => {
  test('are there for everybody, without their private part', async () => {
    const { keys: found } = JSON.parse(JSON.stringify(await auditKeys(credentials))) as KeySet;
    expect(found[0]).toEqual({
      kty: 'OKP',
      crv: 'Ed25519',
      x: expect.any(String),
      kid: created().keyId,
      alg: 'EdDSA',
      use: 'sig',
    });
  });
});

describe('an export', () => {
  test('verifies with the keys alone, and not when a line is cut off its end', async () => {
    const lines = await exportLines(own.api, credentials, own.tenant);
    const whole = await audited('verify', file('whole.ndjson', lines.join('\n')), '--keys', keys);
    expect(whole).toMatchObject({
      code: 0,
      out: expect.stringMatching(/up to checkpoint \d+ of .* signed with the key/),
    });
    const cut = await audited('verify', file('cut.ndjson', lines.slice(0, -1).join('\n')), '--keys', keys);
    expect(cut).toMatchObject({ code: 1, out: expect.stringContaining('truncated') });
    const unsigned = await audited('verify', file('unsigned.ndjson', lines.slice(1).join('\n')), '--keys', keys);
    expect(unsigned).toMatchObject({ code: 1, out: expect.stringContaining('unsigned') });
  });

  test('is not what the feed gives, which verifies as a stream with a checkpoint of the list', async () => {
    await own.api.get(`${audit}/verify`);
    const [checkpoint] = (await own.api.get<{ items: { jws: string }[] }>(`${audit}/checkpoints?limit=1`)).items;
    const lines: string[] = [];
    for (let after: string | undefined; ; ) {
      const more = after === undefined ? '' : `&after=${after}`;
      const page = await own.api.get<{ items: object[]; nextCursor: string }>(`${audit}/feed?limit=7${more}`);
      if (page.items.length === 0) break;
      lines.push(...page.items.map(item => JSON.stringify(item)));
      after = page.nextCursor;
    }
    const given = ['--stream', '--keys', keys, '--checkpoint', file('last.jws', checkpoint?.jws ?? '')];
    const whole = await audited('verify', file('fed.ndjson', lines.join('\n')), ...given);
    expect(whole).toMatchObject({
      code: 0,
      out: expect.stringMatching(/up to checkpoint \d+ of .* signed with the key/),
    });
    const cut = await audited('verify', file('fed-cut.ndjson', lines.slice(0, 3).join('\n')), ...given);
    expect(cut).toMatchObject({ code: 1, out: expect.stringContaining('truncated') });
  });

  test('of a period holds what was chained in it, and verifies', async () => {
    const page = await own.api.get<{ items: { time: string }[] }>(`${audit}/checkpoints?limit=1`);
    const before = page.items[0]?.time ?? '';
    await own.api.post(users(), { email: 'later@example.org' });
    await logWith({ ...own, credentials }, found => found.some(({ type }) => type === 'user.created'), 'a user');
    const from = new Date(Date.parse(before) - 1).toISOString();
    const response = await own.api.send('GET', `${audit}/export?from=${from}`);
    const lines = (await response.text()).trim().split('\n');
    const given = { format: formats.ndjson, keys: await auditKeys(credentials) };
    expect((await verifyLines(asLines(lines), given)).finding).toBe(null);
    expect(recordsIn(lines).length).toBeLessThan((await readLog(own.api, credentials, own.tenant)).length);
    const none = await own.api.send('GET', `${audit}/export?from=2999-01-01T00:00:00Z`);
    expect((await none.text()).trim().split('\n')).toHaveLength(1);
  });

  test('that was cut off goes on where it was, as one file that verifies', async () => {
    const response = await own.api.send('GET', `${audit}/export`);
    const checkpoint = response.headers.get('Reeve-Checkpoint') ?? '';
    const whole = (await response.text()).trim().split('\n');
    for (const at of [2, Math.floor(whole.length / 2), whole.length - 1]) {
      const { chain, sequence } = JSON.parse(whole[at - 1] ?? '') as AuditEvent;
      const after = encodeURIComponent(`${chain}#${sequence}`);
      const rest = await own.api.send('GET', `${audit}/export?checkpoint=${checkpoint}&after=${after}`);
      expect((await rest.text()).trim().split('\n')).toEqual(whole.slice(at));
    }
    for (const query of [
      'after=reeve.auth.v1/0%231',
      `checkpoint=${checkpoint}&after=other/0%231`,
      'after=x',
      'checkpoint=0',
    ])
      expect((await own.api.send('GET', `${audit}/export?${query}`)).status).toBe(400);
    expect((await own.api.send('GET', `${audit}/export?checkpoint=999999`)).status).toBe(404);
  });

  test('is compressed on request', async () => {
    const response = await own.api.send('GET', `${audit}/export?compression=gzip`);
    expect(response.headers.get('content-disposition')).toContain('.ndjson.gz"');
    const lines = gunzipSync(Buffer.from(await response.arrayBuffer()))
      .toString()
      .trim()
      .split('\n');
    expect(recordsIn(lines).length).toBeGreaterThan(3);
  });
});

describe('a proof', () => {
  test('shows one record with nothing but the keys, and no altered one', async () => {
    const proof = await own.api.get<InclusionProof>(`${audit}/events/${created().eventId}/proof`);
    const holds = await audited('verify-proof', file('proof.json', JSON.stringify(proof)), '--keys', keys);
    expect(holds).toMatchObject({ code: 0, out: expect.stringContaining('verified: the record is in the log\n') });
    expect(holds.out).toContain(`event ${created().eventId}, user.created`);
    expect(holds.out).toContain(`tenant ${own.tenant.id}`);
    const forged = { ...proof, record: proof.record.replace('one@', 'won@') };
    expect(await audited('verify-proof', file('forged.json', JSON.stringify(forged)), '--keys', keys)).toMatchObject({
      code: 1,
    });
    const strangers = file(
      'other.json',
      JSON.stringify({ keys: [{ kty: 'OKP', crv: 'Ed25519', kid: 'x', x: 'A'.repeat(43) }] }),
    );
    expect(await audited('verify-proof', join(directory, 'proof.json'), '--keys', strangers)).toMatchObject({
      code: 1,
    });
  });

  test('of consistency shows that a newer checkpoint only adds', async () => {
    type Listed = { number: number; jws: string; chains: Checkpoint['chains'] };
    const older = (await own.api.get<{ items: Listed[] }>(`${audit}/checkpoints`)).items.at(-1) as Listed;
    await own.api.post(users(), { email: `${newEventId()}@example.org` });
    await exportLines(own.api, credentials, own.tenant);
    const newest = (await own.api.get<{ items: Listed[] }>(`${audit}/checkpoints?limit=1`)).items[0] as Listed;
    expect(newest.number).toBeGreaterThan(older.number);
    const proof = await own.api.get(`${audit}/checkpoints/${newest.number}/consistency?from=${older.number}`);
    const path = file('consistency.json', JSON.stringify(proof));
    expect(await audited('verify-proof', path, '--keys', keys)).toMatchObject({
      code: 0,
      out: expect.stringContaining(`verified: the log only grew\n  tenant ${own.tenant.id}\n`),
    });
    expect(await own.api.get(`${audit}/checkpoints/${older.number}`)).toEqual(older);
    for (const [status, path_] of [
      [404, 'checkpoints/999999'],
      [404, 'checkpoints/none'],
      [400, `checkpoints/${older.number}/consistency?from=${newest.number + 1}`],
      [400, `checkpoints/${older.number}/consistency`],
      [404, 'events/none/proof'],
    ] as const)
      expect([path_, (await own.api.send('GET', `${audit}/${path_}`)).status]).toEqual([path_, status]);
  });

  test('is not given to another tenant', async () => {
    const stranger = await freshTenant(credentials, 'stranger');
    const id = created().eventId;
    const theirs = `${credentials.urls.audit}/v1/tenants/${stranger.tenant.id}/audit`;
    expect((await stranger.api.send('GET', `${audit}/events/${id}/proof`)).status).toBe(404);
    expect((await stranger.api.send('GET', `${theirs}/events/${id}/proof`)).status).toBe(404);
    expect((await own.api.send('GET', `${audit}/events/${id}/proof`)).status).toBe(200);
  });
});

describe('the topic', () => {
  test('verifies as it is, with the keys alone', async () => {
    await exportLines(own.api, credentials, own.tenant);
    const options = [
      '--topic',
      'reeve.audit.v1',
      '--brokers',
      credentials.kafka,
      '--tenant',
      own.tenant.id,
      '--keys',
      keys,
    ];
    const { code, out } = await audited('verify', ...options);
    expect(out).toMatch(/verified: \d+ records in \d+ chains/);
    expect(out).toMatch(/up to checkpoint \d+/);
    expect(code).toBe(0);
  }, 30_000);

  test('shows an event that nobody can read as a record, so that the chain has no gap', async () => {
    const bus = createEventBus({ brokers: [credentials.kafka], clientId: 'test' });
    const id = newEventId();
    const event = {
      id,
      source: '/test',
      type: 'session.created',
      subject: 'session/x',
      time: new Date().toISOString(),
      tenantId: own.tenant.id as `ten_${string}`,
      correlationId: 'poison',
      contentType: 'application/json',
      data: { nobody: 'reads this', password: 'hunter2' },
    };
    await bus.publish([{ topic: 'reeve.auth.v1', key: own.tenant.id, event }]);
    const found = await logWith(
      { ...own, credentials },
      all => all.some(({ target }) => target.id === id),
      'the poison',
    );
    const record = found.find(({ target }) => target.id === id);
    expect(record).toMatchObject({
      type: 'audit.dead_lettered',
      outcome: 'failure',
      reason: { code: 'head_invalid' },
      target: { type: 'event', name: 'session.created' },
      details: { topic: 'reeve.auth.v1', deadLetters: 'reeve.auth.v1.audit.chain.dlq' },
    });
    expect(JSON.stringify(record)).not.toContain('hunter2');
    const given = { format: formats.ndjson, keys: await auditKeys(credentials) };
    const lines = await exportLines(own.api, credentials, own.tenant);
    expect((await verifyLines(asLines(lines), given)).finding).toBe(null);
    const letters = await bus.readDeadLetters('reeve.auth.v1', 'audit.chain');
    expect(letters.filter(({ headers }) => headers['ce_id'] === id)).toHaveLength(1);
    await bus.stop();
  }, 40_000);
});

test('the service verifies itself by the same lines', async () => {
  expect(await own.api.get(`${audit}/verify`)).toMatchObject({ finding: null, checkpoint: { signatureChecked: true } });
});
