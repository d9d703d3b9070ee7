// Every store is lost, and put back as it was at an earlier time; Kafka is as it was. What is in the log stays in it to
// the byte, nothing is signed twice, what the stores lack is named, and nobody is let in by what may have ended since.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { consistencyProofSchema, decodeStatement, formats, verifyConsistency, verifyLines } from '@reeve/audit-log';
import { ApiError } from '@reeve/local/api';
import { type ProductApp, refresh, registerProductApp, type SignedIn, signIn } from '@reeve/local/product-app';
import { platformApi, seedTenant } from '@reeve/local/seed';
import { eventually } from '@reeve/testing/eventually';
import { type AuditEvent, asLines, auditKeys, exportLines, logWith, recordsIn } from '../support/audit.ts';
import { type OwnSystem, startOwnSystem } from '../support/own-system.ts';
import { demoUser, freshTenant, type TestTenant } from '../support/running-system.ts';
import { variablesOf } from './rehearsal.ts';
import { openRunbook } from './runbook.ts';

const minutes = 60_000;
const backup = mkdtempSync(join(tmpdir(), 'reeve-backup-'));

let own: OwnSystem;
let before: TestTenant;
let app: ProductApp;
let signedIn: SignedIn;

beforeAll(async () => {
  own = await startOwnSystem('restore', { instances: { audit: 2, auth: 2 } });
  const { credentials } = own.system;
  before = await freshTenant(credentials, 'before');
  app = await registerProductApp(before.api, credentials, before.tenant);
  signedIn = await signIn(app, before.tenant, demoUser(credentials, 0));
}, 3 * minutes);

afterAll(async () => {
  await own.stop();
  rmSync(backup, { recursive: true, force: true });
}, minutes);

const isDown = { error: 'invalid_grant' };
const placeOf = ({ chain, sequence }: AuditEvent) => `${chain}#${sequence}`;
const checkpointIn = (lines: readonly string[]) => {
  const { statement } = JSON.parse(lines[0] ?? '{}') as { statement: string };
  const manifest = decodeStatement(statement);
  if (manifest.kind !== 'reeve-export') throw new Error('the export does not begin with its manifest');
  const jws = manifest.content.checkpoint;
  const checkpoint = decodeStatement(jws);
  if (checkpoint.kind !== 'reeve-checkpoint') throw new Error('the manifest names no checkpoint');
  return { jws, content: checkpoint.content };
};

test(
  'after a restore to a backup',
  async () => {
    const { credentials } = own.system;
    const { auth, provisioning } = credentials.urls;
    const log = (of: TestTenant) => exportLines(of.api, credentials, of.tenant);
    await logWith(
      { ...before, credentials },
      found => found.some(({ type }) => type === 'session.created'),
      'a session',
    );
    const early = await log(before);

    // The volume as a snapshot has it: of a store that was not shut down.
    const restoredTo = new Date().toISOString();
    await own.restartMongodb(async () => cpSync(own.mongodbData, backup, { recursive: true }));

    // What is not in the backup: a tenant, a session that ended, a person who was deactivated, and checkpoints.
    const after = await freshTenant(credentials, 'after');
    const second = await signIn(app, before.tenant, demoUser(credentials, 1));
    const sid = second.claims['sid'] as string;
    const users = `${provisioning}/v1/tenants/${before.tenant.id}/users`;
    await before.api.post(`${auth}/v1/tenants/${before.tenant.id}/sessions/${sid}:terminate`);
    await before.api.post(`${users}/${second.claims.sub}:deactivate`);
    const followed = await refresh(app, String(signedIn.tokens.refresh_token));
    const isWhole = (found: readonly AuditEvent[]) =>
      found.some(({ type }) => type === 'user.deactivated') && found.some(({ type }) => type === 'session.revoked');
    await logWith({ ...before, credentials }, isWhole, 'what happened after the backup');
    const late = await eventually('a log that stands still', async () => {
      const [one, other] = [await log(before), await log(before)];
      return recordsIn(one).length === recordsIn(other).length ? other : null;
    });
    const lateOfAfter = await log(after);
    const keys = await auditKeys(credentials);
    expect(recordsIn(late).length).toBeGreaterThan(recordsIn(early).length + 5);

    await own.restartServices({ REEVE_RESTORED_TO: restoredTo }, () =>
      own.restartMongodb(async () => {
        rmSync(own.mongodbData, { recursive: true });
        cpSync(backup, own.mongodbData, { recursive: true });
      }),
    );

    // The same keys, and every record that anybody has seen, to the byte; what was signed before and after agree.
    expect((await auditKeys(credentials)).keys).toEqual(keys.keys);
    const known = new Map(recordsIn(late).map(record => [placeOf(record), record.hash]));
    const holdsAll = (found: readonly AuditEvent[]) => {
      const now = new Map(found.map(record => [placeOf(record), record.hash]));
      return [...known].every(([place, hash]) => now.get(place) === hash);
    };
    await logWith({ ...before, credentials }, holdsAll, 'every record of before');
    const restored = await log(before);
    const verified = await verifyLines(asLines(restored), { format: formats.ndjson, keys });
    expect(verified).toMatchObject({ finding: null });
    const [then, now] = [checkpointIn(late), checkpointIn(restored)];
    expect(now.content.number).toBeGreaterThan(then.content.number);
    const checkpoints = `${credentials.urls.audit}/v1/tenants/${before.tenant.id}/audit/checkpoints`;
    const asked = `${checkpoints}/${now.content.number}/consistency?from=${then.content.number}`;
    const proof = consistencyProofSchema.parse(await before.api.get(asked));
    expect(proof).toMatchObject({ from: then.jws, to: now.jws });
    expect(await verifyConsistency(proof, keys)).toEqual({ holds: true });
    for (const { jws, content } of [checkpointIn(early), then])
      expect(await before.api.get(`${checkpoints}/${content.number}`)).toMatchObject({ number: content.number, jws });

    // Nobody goes on by what may have ended: neither who was signed out, nor who has the newer or the older token.
    for (const token of [second.tokens.refresh_token, followed.refresh_token, signedIn.tokens.refresh_token])
      await expect(refresh(app, String(token))).rejects.toMatchObject(isDown);
    const again = await signIn(app, before.tenant, demoUser(credentials, 0));
    expect((await refresh(app, String(again.tokens.refresh_token))).access_token).toEqual(expect.any(String));

    // What the stores lack is named, what was tightened first, and the log of the tenant that is unknown now is kept.
    const runbook = openRunbook('restore');
    const told = await runbook.run('doctor --consistency', variablesOf(credentials));
    const of = (service: string) => {
      const lines = told.out.split('\n');
      return lines
        .slice(lines.findIndex(line => line.includes(` ${service} `) && line.includes('restore_gap')))
        .join('\n');
    };
    expect(of('provisioning')).toContain('1 tenant.created');
    expect(of('provisioning')).toContain(`user.deactivated user/${second.claims.sub} of ${before.tenant.id}`);
    expect(of('auth')).toMatch(/restore_gap .* 1 session\.revoked/);
    const gone = before.api.get(`${provisioning}/v1/tenants/${after.tenant.id}`);
    await expect(gone).rejects.toBeInstanceOf(ApiError);
    expect(recordsIn(lateOfAfter).length).toBeGreaterThan(0);

    // Made again under its name, it is another tenant, also for those who have read of the former one.
    const remade = await seedTenant(credentials, { slug: after.tenant.slug, name: 'after' });
    expect(remade.id).not.toBe(after.tenant.id);
    const headers = { 'Reeve-Reason': 'a test' };
    const connections = `${auth}/v1/tenants/${after.tenant.slug}/sso-connections`;
    await eventually('its name leads to it', async () => {
      const { items } = await platformApi(credentials).get<{ items: { id: string }[] }>(connections, { headers });
      return items.some(({ id }) => id === remade.connectionId);
    });

    const over = await runbook.run('doctor --consistency', variablesOf(credentials));
    expect(over.out).toMatch(/ok +audit +inside +audit_chains/);
    runbook.isDone();

    // The variable is left as it is, and nothing is caught up with again.
    const settled = recordsIn(await log(before)).length;
    await own.system.crash('audit');
    expect(recordsIn(await log(before)).length).toBeGreaterThanOrEqual(settled);
  },
  5 * minutes,
);
