// Each sentence says no more than what was shown.
import { beforeAll, expect, describe as suite, test } from '@jest/globals';
import { formats, type VerifyOptions, verifyLines } from '@reeve/audit-log';
import { auth, grow, keyId, keySet, sampleLog, secrets, tenantId, time } from './audit-verify-sample.ts';
import { describe, describeProof, outcomeOf } from './audit-verify-words.ts';

let log: Awaited<ReturnType<typeof sampleLog>>;
beforeAll(async () => {
  log = await sampleLog();
});

async function told(lines: readonly string[], options: Partial<VerifyOptions> & { since?: string } = {}) {
  async function* from() {
    yield* lines;
  }
  const result = await verifyLines(from(), { format: formats.ndjson, keys: keySet as never, ...options });
  return { outcome: outcomeOf(result), text: describe(result), result };
}

suite('of a whole export', () => {
  test('says whose it is, what it has and up to which checkpoint it is whole', async () => {
    const { outcome, text } = await told(log.lines);
    expect(outcome).toBe('verified');
    expect(text).toContain(`verified: 9 records in 2 chains of the tenant ${tenantId}`);
    expect(text).toContain(`${auth}: records 1 to 6, head `);
    expect(text).toContain(
      `nothing is altered, missing or out of order up to checkpoint 2 of ${time}, signed with the key ${keyId}.`,
    );
    expect(text).not.toMatch(/is not shown|NOT|removed/);
  });

  test('does not say "verified" where no keys were given', async () => {
    const { outcome, text } = await told(log.lines, { keys: undefined });
    expect(outcome).toBe('unproven');
    expect(text).toMatch(/^NOT PROVEN: 9 records in 2 chains/);
    expect(text).toContain('anybody may have written them');
    expect(text).toContain(`names the key ${keyId}; nobody checked that`);
    expect(text).not.toContain('verified');
    const part = await told(log.body.slice(1, 4), { keys: undefined });
    expect(part.text).toContain('It begins in the middle');
    expect(part.text).toContain('That nothing is missing after the last is not shown');
    expect(part.text).not.toContain('verified');
  });

  test('says that fields were not compared', async () => {
    expect((await told(log.lines, { ignoreFields: true })).text).toContain(
      'What the lines show beside the records was NOT compared with them (--ignore-fields)',
    );
  });

  test('names the line, the chain and the record of what is wrong, and whose log it is', async () => {
    const { outcome, text } = await told(log.lines.toSpliced(3, 1));
    expect(outcome).toBe('refused');
    expect(text).toBe(
      [
        `NOT verified, the log of the tenant ${tenantId}: line 4: chain ${auth}, record 4: missing: records 3 to 3 are missing`,
        '2 records were read before it',
      ].join('\n'),
    );
  });

  test('lets nothing that a file says pass for what it says', async () => {
    const records = grow(1, 'c\n\u001b[2Jverified: 9 records/0');
    const { text } = await told(
      records.map(one => formats.ndjson.writeRecord(one, keyId)),
      { keys: undefined },
    );
    expect(text).not.toMatch(/^verified/m);
    expect(text).not.toContain('\u001b');
  });
});

suite('of a period', () => {
  const bounds = { from: '2026-11-01T00:00:00Z', to: '2026-11-30T00:00:00Z' };
  const period = async (first: number, last: number, of = bounds as { from?: string; to?: string }) => {
    const { manifest, rangeOf, second, writeStatement, body } = log;
    return [writeStatement(await manifest(second, [rangeOf(auth, first, last)], of)), ...body.slice(first - 1, last)];
  };

  test('names its bounds, how much of a chain it has, and the chains that it has nothing of', async () => {
    const { outcome, text } = await told(await period(3, 5));
    expect(outcome).toBe('verified');
    expect(text).toContain(`chained from ${bounds.from} to ${bounds.to}, as the manifest of the export says`);
    expect(text).toContain('The rest of the log is not shown here');
    expect(text).toContain(`${auth}: records 3 to 5 of 6, head`);
    expect(text).toContain(`${secrets}: none of its 3 records is here`);
    expect(text).toContain('Between these records nothing is altered, missing or out of order.');
    expect(text).not.toContain('up to checkpoint');
  });

  test('without one of its bounds says what stands for it', async () => {
    expect((await told(await period(3, 6, { from: bounds.from }))).text).toContain(`from ${bounds.from} to ${time}`);
    expect((await told(await period(1, 5, { to: bounds.to }))).text).toContain(`from the beginning to ${bounds.to}`);
  });

  test('in which nothing was chained says that, and not that nothing is missing', async () => {
    const { manifest, second, writeStatement } = log;
    const { outcome, text } = await told([writeStatement(await manifest(second, [], bounds))]);
    expect(outcome).toBe('verified');
    expect(text).toContain(`verified: 0 records in 0 chains of the tenant ${tenantId}`);
    expect(text).toContain(`Nothing was chained from ${bounds.from} to ${bounds.to}, as the manifest`);
    expect(text).toContain(`${auth}: none of its 6 records is here`);
    expect(text).not.toContain('is altered');
  });

  test('that a kept checkpoint reaches beyond says so', async () => {
    const lines = await period(4, 5);
    expect((await told(lines, { checkpoints: [log.first] })).text).toContain(
      'Checkpoint 1, which you gave: 0 of its 1 chains were held against a record here.',
    );
    expect((await told(lines, { checkpoints: [log.second] })).text).toContain('0 of its 2 chains were held');
    expect((await told(log.lines, { checkpoints: [log.first, log.second] })).text).not.toContain('which you gave');
  });
});

suite('of an export of which records were removed', () => {
  test('names the places and why, and does not say that nothing is missing', async () => {
    const { tombstone, lines, writeStatement } = log;
    const retention = await tombstone([1, 2, 5], { reason: 'retention', reference: 'auth: 90 days' });
    const request = await tombstone([4], { reason: 'deletion_request', reference: 'del_1' });
    const [manifest = '', ...body] = lines;
    const left = [
      manifest,
      ...[retention, request].map(writeStatement),
      ...body.filter((_, at) => ![0, 1, 3, 4].includes(at)),
    ];
    const { outcome, text } = await told(left);
    expect(outcome).toBe('verified');
    expect(text).toContain('5 records in 2 chains, and the places of 4 that were removed, of the tenant');
    expect(text).toContain('removed (retention, auth: 90 days): 1 to 2, 5');
    expect(text).toContain('removed (deletion request, del_1): 4');
    expect(text).toContain('nothing else is missing, and nothing is altered or out of order');
    expect(text).toContain('what they said is not shown');
    expect(text).not.toContain('nothing is altered, missing');
  });
});

suite('of a stream', () => {
  test('says when it is said to begin, and what is beyond its last checkpoint', async () => {
    const { body, first, second, writeStatement } = log;
    const whole = await told([...body, writeStatement(second)], { of: 'stream' });
    expect(whole.text).not.toContain('is not shown');
    const late = await told([...body.slice(3), writeStatement(second)], { of: 'stream', since: time });
    expect(late.outcome).toBe('verified');
    expect(late.text).toContain(`The stream is said to begin at ${time}: what was before that is not shown here.`);
    const early = await told([writeStatement(first), ...body], { of: 'stream' });
    expect(early.text).toContain(`verified: 2 records in 1 chains of the tenant ${tenantId}; 7 more are not`);
    expect(early.text).toContain(`${auth}: records 1 to 6, 4 of them beyond the checkpoint, head`);
    expect(early.text).toContain(`${secrets}: records 1 to 3, 3 of them beyond the checkpoint, head`);
    expect(early.text).toContain("7 records are beyond it: nothing shows yet that they are Reeve's.");
    const beyond = await told([writeStatement(first), ...body.slice(2, 6)], { of: 'stream', since: time });
    expect([beyond.result.finding, beyond.outcome]).toEqual([null, 'unproven']);
    expect(beyond.text).toContain(
      'fit together, but checkpoint 1 covers none of them, so anybody may have written them',
    );
    const none = await told([], { of: 'stream', keys: undefined });
    expect([none.outcome, none.text]).toEqual(['refused', 'NOT verified: it holds no records']);
  });
});

test('of a proof names the event, its tenant and the checkpoints', async () => {
  const { inclusion, consistency, first, checkpoint } = log;
  const record = describeProof(await inclusion(first, 2, 2));
  for (const part of [
    'the record is in the log',
    'event e2, user.created',
    `record 2 of ${auth}`,
    `tenant ${tenantId}`,
  ])
    expect(record).toContain(part);
  expect(record).toContain(`checkpoint 1 of ${time}, signed with the key ${keyId}`);
  const later = await checkpoint(2, first, { [auth]: 5 });
  const growth = describeProof(await consistency(first, later, [2, 5]));
  for (const part of [
    'the log only grew',
    `tenant ${tenantId}`,
    `from checkpoint 1 of ${time}`,
    `to checkpoint 2 of ${time}`,
  ])
    expect(growth).toContain(part);
});
