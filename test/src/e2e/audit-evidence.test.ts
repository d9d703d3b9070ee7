// An evidence package, from the request to an auditor who has nothing but the zip and the keys.
import { createHash } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { eventually } from '@reeve/testing/eventually';
import { type Entry, fromBuffer } from 'yauzl';
import { auditKeys, logWith } from '../support/audit.ts';
import { reeve } from '../support/cli.ts';
import { freshTenant, runningSystem, type TestTenant } from '../support/running-system.ts';

type Package = {
  id: string;
  status: string;
  progress: { done: number; of: number };
  bytes: number;
  sha256: string | null;
};
type Control = { framework: string; id: string; records: number };

const credentials = runningSystem();
let own: TestTenant;
let packages: string;

beforeAll(async () => {
  own = await freshTenant(credentials, 'evidence');
  packages = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit/evidence-packages`;
});

const period = () => ({ from: '2026-01-01T00:00:00Z', to: new Date().toISOString() });
const ready = (id: string) =>
  eventually('a package that is ready', async () => {
    const state = await own.api.get<Package>(`${packages}/${id}`);
    return state.status === 'ready' ? state : null;
  });
const codeOf = async (answer: Promise<Response>) => {
  const response = await answer;
  const body = (await response.json()) as { code: string; errors?: { field: string }[] };
  return [response.status, body.code, body.errors?.map(({ field }) => field) ?? []];
};

/** Its files by name. */
function unzipped(zip: Buffer): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    const files = new Map<string, string>();
    fromBuffer(zip, { lazyEntries: true }, (error, archive) => {
      if (error) return reject(error);
      archive.on('entry', (entry: Entry) =>
        archive.openReadStream(entry, (failure, stream) => {
          if (failure) return reject(failure);
          void text(stream).then(content => {
            files.set(entry.fileName, content);
            archive.readEntry();
          }, reject);
        }),
      );
      archive.on('end', () => resolve(files));
      archive.on('error', reject);
      return archive.readEntry();
    });
  });
}

describe('an evidence package', () => {
  test('holds what an auditor needs, all of which verifies without Reeve', async () => {
    for (const email of ['one@example.org', 'two@example.org'])
      await own.api.post(`${credentials.urls.provisioning}/v1/tenants/${own.tenant.id}/users`, {
        email,
        displayName: 'P',
      });
    const log = await logWith(
      { ...own, credentials },
      found => found.filter(({ type }) => type === 'user.created').length === 2,
      'two users',
    );
    const asked = await own.api.post<Package>(packages, { name: 'Audit 2026\n# of Ann', ...period() });
    expect(asked).toMatchObject({ status: 'waiting', sha256: null });
    const made = await ready(asked.id);
    expect(made.progress.done).toBe(made.progress.of);
    expect(made.progress.of).toBeGreaterThanOrEqual(log.length);

    const response = await own.api.send('GET', `${packages}/${asked.id}/archive`);
    expect(response.headers.get('content-type')).toBe('application/zip');
    const zip = Buffer.from(await response.arrayBuffer());
    expect([zip.length, createHash('sha256').update(zip).digest('hex')]).toEqual([made.bytes, made.sha256]);
    const files = await unzipped(zip);
    const directory = mkdtempSync(join(tmpdir(), 'reeve-evidence-'));
    const fileOf = (name: string, content = files.get(name) ?? '') => {
      const path = join(directory, name.replaceAll('/', '_'));
      writeFileSync(path, content);
      return path;
    };
    // Keys from elsewhere, as the summary advises; those in the package are the same.
    const keys = fileOf('trusted.json', JSON.stringify(await auditKeys(credentials)));
    expect(JSON.parse(files.get('keys.json') ?? '')).toEqual(await auditKeys(credentials));
    const verified = await reeve(['audit', 'verify', fileOf('records.ndjson'), '--keys', keys]);
    expect([verified.code, verified.out]).toEqual([
      0,
      expect.stringContaining(`verified: ${made.progress.of} records`),
    ]);
    const proofs = [...files.keys()].filter(name => name.startsWith('proofs/'));
    expect(proofs.length).toBeGreaterThan(2);
    for (const name of proofs)
      expect([name, (await reeve(['audit', 'verify-proof', fileOf(name), '--keys', keys])).code]).toEqual([name, 0]);
    const lines = (files.get('records.ndjson') ?? '').trimEnd().split('\n');
    const flipped = lines.map((line, at) =>
      at === 3 ? line.replace('"outcome":"success"', '"outcome":"denied"') : line,
    );
    const altered = await reeve(['audit', 'verify', fileOf('altered.ndjson', flipped.join('\n')), '--keys', keys]);
    expect(altered.code).toBe(1);
    expect(files.get('checkpoints.ndjson')?.trimEnd().split('\n').length).toBeGreaterThan(0);

    const controls = JSON.parse(files.get('controls.json') ?? '') as Control[];
    const recordsOf = (id: string) => controls.find(control => control.id === id)?.records;
    expect([recordsOf('CC6.2'), recordsOf('A.5.16'), recordsOf('A.8.15')]).toEqual([2, 2, made.progress.of]);
    expect(new Set(controls.map(({ framework }) => framework)).size).toBe(3);
    const summary = files.get('README.md') ?? '';
    expect(summary.split('\n')[0]).toBe('# Audit 2026 # of Ann');
    expect(summary).toContain('| user.created | 2 |');

    const seen = await logWith(
      { ...own, credentials },
      found => found.some(({ type }) => type === 'evidence_package.downloaded'),
      'the download',
    );
    expect(seen.find(({ type }) => type === 'evidence_package.downloaded')?.details).toMatchObject({
      sha256: made.sha256,
    });
  }, 60_000);

  test('of a period without records is made as well, and one is removed before its time', async () => {
    const { id } = await own.api.post<Package>(packages, {
      name: 'nothing',
      from: '2020-01-01T00:00:00Z',
      to: '2020-02-01T00:00:00Z',
    });
    const made = await ready(id);
    expect(made.progress).toEqual({ done: 0, of: 0 });
    const response = await own.api.send('GET', `${packages}/${id}/archive`);
    const files = await unzipped(Buffer.from(await response.arrayBuffer()));
    expect((files.get('records.ndjson') ?? '').trimEnd().split('\n')).toHaveLength(1);
    expect((await own.api.send('DELETE', `${packages}/${id}`)).status).toBe(204);
    expect(await codeOf(own.api.send('GET', `${packages}/${id}/archive`))).toEqual([404, 'not_found', []]);
  });

  test('is not there for another tenant, nor before it is ready, nor for a period that ends before it begins', async () => {
    const { id } = await own.api.post<Package>(packages, { name: 'mine', ...period() });
    expect(await codeOf(own.api.send('GET', `${packages}/${id}/archive`))).toEqual([409, 'evidence_package_state', []]);
    const other = await freshTenant(credentials, 'evidence-other');
    const theirs = `${credentials.urls.audit}/v1/tenants/${other.tenant.id}/audit/evidence-packages`;
    for (const path of [id, `${id}/archive`])
      expect(await codeOf(other.api.send('GET', `${theirs}/${path}`))).toEqual([404, 'not_found', []]);
    const backwards = { name: 'x', from: '2026-02-01T00:00:00Z', to: '2026-01-01T00:00:00Z' };
    expect(await codeOf(own.api.send('POST', packages, { body: backwards }))).toEqual([400, 'input_invalid', ['to']]);
  });
});
