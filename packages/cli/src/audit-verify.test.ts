// The command as a process of its own: what it takes, says and exits with.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { type ChainedRecord, type FormatName, formats } from '@reeve/audit-log';
import { auth, file, grow, keyId, keys, logOf, sampleLog } from './audit-verify-sample.ts';
import { saidBy } from './run-command.test-support.ts';

const reeve = fileURLToPath(new URL('../bin/reeve.mjs', import.meta.url));

const run = (...parameters: string[]) => saidBy(['audit', ...parameters]);
const said = (code: number, text: string) => ({ code, out: expect.stringContaining(text) });
const lineOf = (record: ChainedRecord) => formats.ndjson.writeRecord(record, keyId);

let log: Awaited<ReturnType<typeof sampleLog>>;
beforeAll(async () => {
  log = await sampleLog();
});

test('says its version, and which commands there are', async () => {
  const { stdout: version } = await promisify(execFile)(process.execPath, [reeve, '--version']);
  expect(version).toMatch(/^\d+\.\d+\.\d+\n$/);
  const { stdout: help } = await promisify(execFile)(process.execPath, [reeve, '--help']);
  for (const command of ['audit', 'dead-letters']) expect(help).toContain(`  ${command}`);
});

describe('reeve audit verify', () => {
  test('says that an export holds, plain or compressed, in either format', async () => {
    expect(await run('verify', file('a.ndjson', log.lines), '--keys', keys())).toMatchObject(
      said(0, 'verified: 9 records in 2 chains of the tenant ten_1'),
    );
    const packed = file('a.ndjson.download', gzipSync(`${log.lines.join('\n')}\n`));
    expect(await run('verify', packed, '--keys', keys())).toMatchObject(said(0, 'verified: 9 records'));
    const { lines } = await sampleLog('csv');
    const csv = file('a.csv', lines);
    expect(await run('verify', '--format', 'csv', csv, '--keys', keys())).toMatchObject(said(0, 'verified: 9 records'));
  });

  test('exits with 3, and does not say "verified", where no keys were given', async () => {
    const { code, out } = await run('verify', file('unproven.ndjson', log.lines));
    expect([code, out]).toEqual([3, expect.stringContaining('NOT PROVEN: 9 records')]);
    expect(out).not.toContain('verified');
    expect(await run('verify', file('gap.ndjson', log.lines.toSpliced(3, 1)))).toMatchObject(said(1, 'missing'));
  });

  test.each([
    [
      'a flipped character',
      (lines: string[]) => lines.with(3, (lines[3] ?? '').replace('user.created', 'user.Created')),
      'line 4',
    ],
    ['a missing record', (lines: string[]) => lines.toSpliced(3, 1), 'missing'],
    [
      'a member that comes twice',
      (lines: string[]) => lines.with(1, (lines[1] ?? '').replace('{', '{"type":"evil",')),
      'line 2',
    ],
    ['a first line that is of no format', (lines: string[]) => lines.with(0, '{"statement":1}'), 'line 1'],
    ['nothing in it', () => [], 'unsigned'],
  ] as const)('names what is wrong with %s and exits with 1', async (name, alter, words) => {
    const path = file(`${name.length}.ndjson`, alter(log.lines));
    expect(await run('verify', path, '--keys', keys())).toMatchObject(said(1, words));
  });

  test('is told whose log it has to be', async () => {
    const path = file('owned.ndjson', log.lines);
    expect((await run('verify', path, '--keys', keys(), '--tenant', 'ten_1')).code).toBe(0);
    expect(await run('verify', path, '--keys', keys(), '--tenant', 'ten_2')).toMatchObject(said(1, 'other_tenant'));
  });

  test('takes what a sink delivered: again, tried before, without a manifest', async () => {
    const { body, second, writeStatement } = log;
    const tried = grow(1, 'test/0').map(lineOf);
    const delivered = [...tried, ...body.slice(0, 3), ...tried, ...body.slice(1), writeStatement(second)];
    const path = file('sink.ndjson', delivered);
    expect(await run('verify', '--stream', path, '--keys', keys())).toMatchObject(
      said(0, 'verified: 9 records in 2 chains'),
    );
    expect((await run('verify', path)).out).toContain('out_of_order');
    const stream = (lines: readonly string[], ...more: string[]) =>
      run('verify', '--stream', file('stream.ndjson', lines), '--keys', keys(), ...more);
    expect(await stream(delivered.toSpliced(2, 1).toSpliced(5, 1))).toMatchObject(said(1, 'missing'));
    expect(await stream(delivered.slice(7))).toMatchObject(said(1, 'records 1 to 3 are missing'));
    expect(await stream(delivered.slice(7), '--since', '2026-11-21')).toMatchObject(said(0, 'said to begin at'));
    expect(await stream(tried)).toMatchObject(said(1, 'holds no records'));
    expect(await stream(delivered, '--since', 'soon')).toMatchObject(said(2, 'It is no time.'));
    expect(await run('verify', '--since', '2026-11-21', path)).toMatchObject(said(2, '--since is for --stream'));
  });

  test('takes an archive of several tenants, and one of them', async () => {
    const theirs = grow(4, auth, 'ten_2');
    const { body, second, writeStatement } = log;
    const checkpoint = writeStatement(await logOf(theirs, 'ten_2').checkpoint(1, null, { [auth]: 4 }));
    const archive = [
      ...theirs.slice(0, 2).map(lineOf),
      ...body,
      ...theirs.slice(2).map(lineOf),
      writeStatement(second),
    ];
    const path = file('archive.ndjson', [...archive, checkpoint]);
    const given = ['verify', '--stream', path, '--keys', keys()];
    const both = await run(...given);
    expect(both).toMatchObject(said(0, 'verified: 4 records in 1 chains of the tenant ten_2'));
    expect(both.out).toContain('verified: 9 records in 2 chains of the tenant ten_1');
    const { out } = await run(...given, '--tenant', 'ten_2', '--json');
    expect(JSON.parse(out)).toMatchObject([{ tenantId: 'ten_2', records: 4, finding: null }]);
    expect(await run(...given, '--tenant', 'ten_3')).toMatchObject(said(1, 'holds no records'));
    const gap = file('archive-gap.ndjson', [...archive.slice(1), checkpoint]);
    const found = await run('verify', '--stream', gap, '--keys', keys());
    expect(found).toMatchObject(said(1, 'NOT verified, the log of the tenant ten_2'));
    expect(found.out).toContain('verified: 9 records in 2 chains of the tenant ten_1');
  });

  test('hints at the format that a file is of, and exits with 2', async () => {
    const formatsOf = [
      ['ocsf', 'ndjson'],
      ['ndjson', 'csv'],
      ['csv', 'syslog'],
    ] as const satisfies [FormatName, FormatName][];
    for (const [is, asked] of formatsOf) {
      const path = file('other', (await sampleLog(is)).lines);
      expect(await run('verify', path, '--format', asked, '--keys', keys())).toMatchObject(
        said(2, `give --format ${is}`),
      );
    }
  });

  test('exits with 2 for what cannot be read, and with help for a wrong call', async () => {
    const path = file('whole.ndjson', log.lines);
    const none = file('none.jws', JSON.stringify({ jws: log.first }));
    expect(await run('verify', file('a', 'x'), '--keys', '/none')).toMatchObject(said(2, 'ENOENT'));
    expect(await run('verify', '/none/such')).toMatchObject(said(2, 'ENOENT'));
    expect(await run('verify', file('cut.gz', gzipSync('x').subarray(0, 12)))).toMatchObject(said(2, 'unexpected end'));
    expect(await run('verify', path, '--checkpoint', none)).toMatchObject(said(2, 'is no checkpoint'));
    expect(await run('verify', path, '--keys', file('no-keys.json', '[]'))).toMatchObject(
      said(2, 'no set of public keys'),
    );
    expect((await run('verify')).out).toContain('Usage: reeve audit verify');
  });
});

describe('reeve audit verify-proof', () => {
  test('says of which event, tenant and checkpoint a proof is, or what is wrong with it', async () => {
    const { inclusion, first } = log;
    const proof = await inclusion(first, 2, 2);
    const text = JSON.stringify(proof);
    const verify = (content: string) => run('verify-proof', file('proof.json', content), '--keys', keys());
    expect(await verify(text)).toMatchObject(said(0, 'verified: the record is in the log\n  event e2, user.created'));
    const altered = proof.record.replace('user.created', 'user.deleted');
    expect(await verify(JSON.stringify({ ...proof, record: altered }))).toMatchObject(said(1, 'does not hash'));
    const twice = text.replace('{', `{"record":${JSON.stringify(altered)},`);
    expect(await verify(twice)).toMatchObject(said(1, 'the member "record" is there twice'));
    expect(await verify(JSON.stringify({ ...proof, record: '{}' }))).toMatchObject(said(1, 'it holds no record'));
    expect(await verify('{"keys":[]}')).toMatchObject(said(2, 'it is no proof'));
    expect(await verify('not JSON')).toMatchObject(said(2, 'is no JSON'));
  });
});
