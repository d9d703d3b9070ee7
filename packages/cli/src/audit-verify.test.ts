import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { type ChainedRecord, chain, formats } from '@reeve/audit-log';

const reeve = fileURLToPath(new URL('../bin/reeve.mjs', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'reeve-cli-'));

function grow(count: number, of = 'reeve.auth.v1/0'): ChainedRecord[] {
  const records: ChainedRecord[] = [];
  for (let n = 1; n <= count; n += 1) {
    const last = records.at(-1);
    const rest = {
      tenantId: 'ten_1',
      chain: of,
      eventId: `e${n}`,
      type: 'user.created',
      source: '/t',
      subject: 's',
      time: '2026-11-21T00:00:00.000Z',
      correlationId: 'c',
      causationId: null,
      traceId: null,
    };
    const head = {
      actor: { type: 'client', id: null, name: null, via: 'client' },
      target: { type: 'user', id: 'u', name: null },
      outcome: 'success',
      reason: { code: 'r', rule: null, basis: null },
    } as const;
    const context = { ip: null, userAgent: null, sessionId: null, connectionId: null, clientId: null, requestId: null };
    records.push(
      chain(last ? { hash: last.hash, sequence: last.record.sequence } : null, {
        ...rest,
        ...head,
        context,
        details: {},
      }),
    );
  }
  return records;
}

const ndjson = grow(5).map(one => formats.ndjson.writeRecord(one, 'k'));
const ocsf = grow(5).map(one => formats.ocsf.writeRecord(one, 'k'));

function file(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function run(...parameters: string[]): Promise<{ code: number; out: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [reeve, ...parameters], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: stdout + stderr }),
    );
  });
}

describe('reeve audit verify', () => {
  test('says that an export holds, plain or compressed, in either format', async () => {
    expect(await run('audit', 'verify', file('a.ndjson', ndjson.join('\n')))).toMatchObject({
      code: 0,
      out: expect.stringContaining('verified, but not who wrote it: 5 records in 1 chains'),
    });
    expect(await run('audit', 'verify', file('a.ndjson.gz', gzipSync(`${ndjson.join('\n')}\n`)))).toMatchObject({
      code: 0,
    });
    expect(await run('audit', 'verify', '--format', 'ocsf', file('a.ocsf.ndjson', ocsf.join('\n')))).toMatchObject({
      code: 0,
    });
  });

  test.each([
    [
      'a flipped character',
      [...ndjson.slice(0, 2), ndjson[2]?.replace('user.created', 'user.Created'), ...ndjson.slice(3)],
      'line 3',
    ],
    ['a missing record', [...ndjson.slice(0, 2), ...ndjson.slice(3)], 'missing'],
    ['a member that comes twice', [ndjson[0]?.replace('{', '{"type":"evil",')], 'line 1'],
    ['nothing in it', [], 'holds no records'],
  ])('names what is wrong with %s and exits with 1', async (name, lines, said) => {
    const result = await run('audit', 'verify', file(`${name.length}.ndjson`, lines.join('\n')));
    expect(result.code).toBe(1);
    expect(result.out).toContain(said);
  });

  test('takes what a sink delivered: again, tried before, without a manifest', async () => {
    const tried = grow(1, 'test/0').map(one => formats.ndjson.writeRecord(one, 'k'));
    const delivered = file('sink.ndjson', [...tried, ...ndjson.slice(0, 3), ...tried, ...ndjson.slice(1)].join('\n'));
    expect(await run('audit', 'verify', '--stream', delivered)).toMatchObject({
      code: 0,
      out: expect.stringContaining('verified, but not who wrote it: 5 records in 1 chains'),
    });
    expect((await run('audit', 'verify', delivered)).out).toContain('out_of_order');
    const gap = file('gap.ndjson', [...ndjson.slice(0, 2), ...ndjson.slice(3)].join('\n'));
    expect(await run('audit', 'verify', '--stream', gap)).toMatchObject({
      code: 1,
      out: expect.stringContaining('missing'),
    });
    expect((await run('audit', 'verify', '--stream', file('tried.ndjson', tried.join('\n')))).out).toContain(
      'holds no records',
    );
    expect((await run('audit', 'verify', '--stream', '--since', 'soon', gap)).out).toContain('It is no time.');
    expect((await run('audit', 'verify', '--since', '2026-11-21', gap)).out).toContain('--since is for --stream');
  });

  test('exits with 2 for a file that cannot be read, and with help for a wrong call', async () => {
    expect((await run('audit', 'verify', join(directory, 'none'))).code).toBe(2);
    expect((await run('audit', 'verify', file('broken.gz', Buffer.from('no gzip')))).code).toBe(2);
    expect((await run('audit', 'verify')).out).toContain('Usage: reeve audit verify');
  });
});
