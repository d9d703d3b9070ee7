import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readOcsf, toOcsf } from './ocsf.ts';
import { type AuditRecord, type ChainedRecord, chain } from './record.ts';
import { readChained, verifyExport } from './verify.ts';

const tenantId = 'ten_00000000-0000-7000-8000-000000000001';

function event(n: number, chainId = 'reeve.auth.v1/0'): Omit<AuditRecord, 'sequence' | 'previousHash'> {
  return {
    tenantId,
    chain: chainId,
    eventId: `e${n}`,
    type: 'user.created',
    source: '/reeve/test',
    subject: `user/${n}`,
    time: '2026-11-21T00:00:00.000Z',
    correlationId: 'c',
    causationId: null,
    traceId: null,
    actor: { type: 'client', id: 'cli', name: 'Zoë "☃"', via: 'client' },
    target: { type: 'user', id: `usr_${n}`, name: null },
    outcome: 'success',
    reason: { code: 'requested', rule: null, basis: null },
    context: { ip: '192.0.2.1', userAgent: null, sessionId: null, connectionId: null, clientId: null, requestId: null },
    details: { email: `u${n}@example.org`, source: 'admin' },
  };
}

function grow(count: number, chainId?: string): ChainedRecord[] {
  const records: ChainedRecord[] = [];
  for (let n = 1; n <= count; n += 1) {
    const last = records.at(-1);
    records.push(chain(last ? { hash: last.hash, sequence: last.record.sequence } : null, event(n, chainId)));
  }
  return records;
}

const lineOf = ({ record, hash }: ChainedRecord) => JSON.stringify({ ...record, hash });
async function* from(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
const verify = (lines: readonly string[], read = readChained) => verifyExport(from(lines), read);

describe('an export', () => {
  const lines = grow(6).map(lineOf);

  test('that is whole verifies, also when it begins in the middle of a chain or holds several', async () => {
    expect(await verify(lines)).toMatchObject({ records: 6, finding: null, chains: [{ first: 1, last: 6 }] });
    expect(await verify(lines.slice(2))).toMatchObject({ records: 4, finding: null, chains: [{ first: 3, last: 6 }] });
    expect(await verify([...lines, ...grow(3, 'reeve.secret.v1/2').map(lineOf)])).toMatchObject({
      records: 9,
      finding: null,
    });
    expect(await verify([])).toMatchObject({ records: 0, finding: null, chains: [] });
  });

  test.each([
    ['a dropped record', 'missing', 3, [...lines.slice(0, 2), ...lines.slice(3)]],
    ['two swapped records', 'missing', 3, [lines[0], lines[1], lines[3], lines[2], lines[4]]],
    ['a doubled record', 'out_of_order', 4, [...lines.slice(0, 3), lines[2], lines[3]]],
    [
      'a record of another chain with the same place',
      'broken_link',
      2,
      [lines[0], lineOf(chain({ hash: 'f'.repeat(64), sequence: 1 }, event(2)))],
    ],
    [
      'a first record that does not begin its chain',
      'broken_link',
      1,
      [lineOf({ ...chain({ hash: 'f'.repeat(64), sequence: 0 }, event(1)) })],
    ],
    ['a field that was not hashed', 'unreadable', 1, [lines[0]?.replace('{', '{"extra":1,')]],
    ['no JSON', 'unreadable', 2, [lines[0], 'not json']],
  ] as const)('with %s is found out', async (_, problem, line, altered) => {
    expect((await verify(altered as readonly string[])).finding).toMatchObject({ problem, line });
  });

  test('a record of another tenant is found out, though its hash is right', async () => {
    const foreign = chain(null, { ...event(1, 'other/0'), tenantId: 'ten_00000000-0000-7000-8000-000000000002' });
    expect((await verify([...lines, lineOf(foreign)])).finding).toMatchObject({ problem: 'other_tenant', line: 7 });
  });

  test('whatever single character is changed, wherever, in whichever format, is found out or changes nothing', async () => {
    const formats = [
      { read: readChained, lines },
      { read: readOcsf, lines: grow(6).map(chained => JSON.stringify(toOcsf(chained))) },
    ];
    for (const format of formats) {
      await fc.assert(
        fc.asyncProperty(fc.nat(5), fc.nat(), fc.integer({ min: 32, max: 126 }), async (index, position, code) => {
          const line = format.lines[index] ?? '';
          const at = position % line.length;
          const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + 1);
          const altered = format.lines.map((one, n) => (n === index ? changed : one));
          const { finding } = await verify(altered, format.read);
          let same = false;
          try {
            same = JSON.stringify(format.read(changed)) === JSON.stringify(format.read(line));
          } catch {
            // Not readable, so not the same.
          }
          expect(finding === null).toBe(same);
        }),
        { numRuns: 400 },
      );
    }
  });
});
