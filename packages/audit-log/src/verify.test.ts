import { createPrivateKey, sign } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { saysWhatItHolds } from './formats/entry.ts';
import { type FormatName, formats } from './formats/formats.ts';
import { type ChainedRecord, chain, genesisHash, hashOf } from './record.ts';
import { type Checkpoint, hashOfStatement, type Manifest, signStatement } from './statements.ts';
import {
  auth,
  event,
  follow,
  grow,
  type Key,
  newKey,
  otherTenantId,
  publicPart,
  secrets,
  statementsAbout,
  tenantId,
  time,
} from './verify/sample-log.ts';
import { createVerifier, type VerifyOptions, verifyLines } from './verify.ts';

const { ndjson, ocsf } = formats;
const keyId = 'key-1';
const lineOf = (chained: ChainedRecord) => ndjson.writeRecord(chained, keyId);
async function* from(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
const verify = (lines: readonly string[], options: Partial<VerifyOptions> = {}) =>
  verifyLines(from(lines), { format: ndjson, ...options });

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
    const foreign = chain(null, { ...event(1, 'other/0'), tenantId: otherTenantId });
    expect((await verify([...lines, lineOf(foreign)])).finding).toMatchObject({ problem: 'other_tenant', line: 7 });
  });

  test.each(Object.keys(formats) as FormatName[])(
    'in %s has no record with a member twice, whose hash is right, whether other fields are looked at or not',
    async name => {
      const format = formats[name];
      const header = format.header === undefined ? [] : [format.header];
      const [whole] = grow(1) as [ChainedRecord];
      const { record, canonical } = whole;
      const written = (json: string) => [
        ...header,
        format.writeRecord({ record, canonical: json, hash: hashOf(record.previousHash, json) }, keyId),
      ];
      const twice = canonical.replace('"details":{', '"details":{"email":"false@example.org",');
      const spaced = canonical.replace('"details":{', '"details": {');
      for (const ignoreFields of [false, true]) {
        const findingIn = async (json: string) => (await verify(written(json), { format, ignoreFields })).finding;
        expect(await findingIn(canonical)).toBe(null);
        expect(await findingIn(twice)).toMatchObject({ problem: 'unreadable' });
        expect(await findingIn(spaced)).toMatchObject({ problem: 'unreadable' });
      }
    },
  );

  test('of which only the records are looked at has no line with a member twice either', async () => {
    for (const name of ['ocsf', 'ecs', 'hec', 'ndjson'] as const) {
      const format = formats[name];
      const [whole = ''] = grow(1).map(one => format.writeRecord(one, keyId));
      const first = /[{,]("\w+":)/g;
      const doubled = [...whole.matchAll(first)].map(([text, member]) =>
        whole.replace(text, `${text.slice(0, 1)}${member}0,${member}`),
      );
      const options = { format, ignoreFields: true };
      expect((await verify([whole], options)).finding).toBe(null);
      for (const line of doubled) expect((await verify([line], options)).finding).toMatchObject({ line: 1 });
    }
  });

  test('whatever single character is changed, wherever, in whichever format, is found out or changes nothing', async () => {
    const exports = [
      { format: ndjson, lines },
      { format: ocsf, lines: grow(6).map(chained => ocsf.writeRecord(chained, keyId)) },
    ];
    for (const { format, lines: whole } of exports) {
      await fc.assert(
        fc.asyncProperty(fc.nat(5), fc.nat(), fc.integer({ min: 32, max: 126 }), async (index, position, code) => {
          const line = whole[index] ?? '';
          const at = position % line.length;
          const changed = line.slice(0, at) + String.fromCharCode(code) + line.slice(at + 1);
          const altered = whole.map((one, n) => (n === index ? changed : one));
          const { finding } = await verify(altered, { format });
          let same = false;
          try {
            // The key id is not hashed: it is compared with the keys, where those are given.
            const told = (text: string) => JSON.stringify({ ...format.read(text), keyId: null });
            same = told(changed) === told(line) && saysWhatItHolds(format, changed, format.read(changed));
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

describe('a signed export', () => {
  const records = [...grow(6, auth), ...grow(3, secrets)];
  const { hashesOf, headOf, checkpointOf, rangeOf, ...about } = statementsAbout(records);

  let key: Key;
  let other: Key;
  let first: string;
  let checkpoint: string;
  let lines: string[];
  let keys: { keys: Key[] };

  const manifestOf = (
    chains: Manifest['chains'],
    jws = checkpoint,
    bounds: [string | null, string | null] = [null, null],
  ) => about.manifestOf(chains, jws, bounds);
  const statement = async (signedBy: Key, manifest: Manifest) =>
    ndjson.writeStatement(await signStatement(signedBy, 'reeve-export', manifest));
  const all = () => [rangeOf(auth, 1, 6), rangeOf(secrets, 1, 3)];
  const check = (altered: readonly (string | undefined)[], options: Partial<VerifyOptions> = {}) =>
    verify(altered as string[], { keys, ...options });

  beforeAll(async () => {
    key = await newKey(keyId);
    other = await newKey(keyId);
    keys = { keys: [publicPart(key)] };
    first = await signStatement(key, 'reeve-checkpoint', checkpointOf(1, genesisHash, [headOf(auth, 2)]));
    const chains = [headOf(auth, 6), headOf(secrets, 3)];
    checkpoint = await signStatement(key, 'reeve-checkpoint', checkpointOf(2, hashOfStatement(first), chains));
    lines = [await statement(key, manifestOf(all())), ...records.map(lineOf)];
  });

  test('verifies with nothing but the public key, and says up to which checkpoint', async () => {
    expect(await check(lines)).toMatchObject({
      records: 9,
      finding: null,
      beyondCheckpoint: 0,
      checkpoint: { number: 2, keyId, signatureChecked: true },
    });
    expect(await verify(lines)).toMatchObject({ finding: null, checkpoint: { number: 2, signatureChecked: false } });
  });

  test('of a period verifies between its signed ends', async () => {
    const chains = [rangeOf(auth, 3, 5)];
    const period = [
      await statement(key, manifestOf(chains, checkpoint, [time, time])),
      ...records.slice(2, 5).map(lineOf),
    ];
    expect(await check(period)).toMatchObject({ records: 3, finding: null });
    expect((await check(period.slice(0, -1))).finding).toMatchObject({ problem: 'truncated', sequence: 5 });
    expect((await check([period[0], ...period.slice(2)])).finding).toMatchObject({ problem: 'missing', sequence: 4 });
  });

  test('that was cut short is found out, wherever it was cut', async () => {
    for (let length = 1; length < lines.length; length += 1)
      expect((await check(lines.slice(0, length))).finding).toMatchObject({ problem: 'truncated' });
    expect((await check([])).finding).toMatchObject({ problem: 'unsigned' });
  });

  test.each([
    [
      'a flipped outcome, hashed again',
      'broken_link',
      () => {
        const flipped = chain({ hash: hashesOf(auth)[1] ?? '', sequence: 2 }, { ...event(3), outcome: 'denied' });
        return [...lines.slice(0, 3), lineOf(flipped), ...lines.slice(4)];
      },
    ],
    ['a dropped record', 'missing', () => [...lines.slice(0, 4), ...lines.slice(5)]],
    [
      'an inserted record',
      'out_of_order',
      () => {
        const inserted = chain({ hash: hashesOf(auth)[2] ?? '', sequence: 3 }, event(99));
        return [...lines.slice(0, 4), lineOf(inserted), ...lines.slice(4)];
      },
    ],
    ['two swapped records', 'missing', () => [lines[0], lines[2], lines[1], ...lines.slice(3)]],
    ['a whole chain dropped', 'truncated', () => lines.slice(0, 7)],
    [
      'a record too many at the end of a chain',
      'not_in_manifest',
      () => [...lines, lineOf(follow(records.slice(6), event(4, secrets)))],
    ],
    ['a chain too many', 'not_in_manifest', () => [...lines, lineOf(chain(null, event(1, 'other/0')))]],
    ['no manifest', 'unsigned', () => lines.slice(1)],
    ['the manifest at the end', 'unsigned', () => [...lines.slice(1), lines[0]]],
    [
      'a chain made anew from its beginning',
      'differs_from_checkpoint',
      () => {
        const made: ChainedRecord[] = [];
        for (let n = 1; n <= 6; n += 1) {
          const before = made.at(-1);
          made.push(
            chain(before ? { hash: before.hash, sequence: n - 1 } : null, { ...event(n), correlationId: 'forged' }),
          );
        }
        return [lines[0], ...made.map(lineOf), ...lines.slice(7)];
      },
    ],
  ] as const)('with %s is found out', async (_, problem, altered) => {
    expect((await check(altered())).finding).toMatchObject({ problem });
  });

  test('signed with another key is found out, whether it has the name of ours or its own', async () => {
    const renamed = { ...other, kid: 'key-2' };
    expect((await check([await statement(other, manifestOf(all())), ...lines.slice(1)])).finding).toMatchObject({
      problem: 'bad_signature',
    });
    expect((await check([await statement(renamed, manifestOf(all())), ...lines.slice(1)])).finding).toMatchObject({
      problem: 'unknown_key',
    });
    const forged = await signStatement(
      other,
      'reeve-checkpoint',
      checkpointOf(2, genesisHash, [headOf(auth, 6), headOf(secrets, 3)]),
    );
    expect((await check([await statement(key, manifestOf(all(), forged)), ...lines.slice(1)])).finding).toMatchObject({
      problem: 'bad_signature',
    });
  });

  test('with anything but a manifest at its beginning is found out, whoever signed it', async () => {
    const statementOf = (jws: string) => ndjson.writeStatement(jws);
    for (const jws of [first, checkpoint]) {
      const swapped = [statementOf(jws), ...lines.slice(1)];
      expect((await check(swapped)).finding).toMatchObject({ line: 1, problem: 'unreadable' });
      expect((await check([...lines, statementOf(jws)])).finding).toMatchObject({ problem: 'unreadable' });
      expect((await check([...lines.slice(0, 4), statementOf(jws), ...lines.slice(4)])).finding).toMatchObject({
        line: 5,
      });
    }
    expect((await check([lines[0], lines[0], ...lines.slice(1)])).finding).toMatchObject({
      line: 2,
      problem: 'unreadable',
    });
    const wordy = lines[0]?.replace('{', '{"note":"reviewed",');
    expect((await check([wordy, ...lines.slice(1)])).finding).toMatchObject({ line: 1, problem: 'unreadable' });
  });

  test('that names a key which nobody gave is found out', async () => {
    const renamed = ndjson.writeRecord(records[2] as ChainedRecord, 'key-9');
    expect((await check([...lines.slice(0, 3), renamed, ...lines.slice(4)])).finding).toMatchObject({
      problem: 'unknown_key',
    });
  });

  test('whose manifest promises less or other than its checkpoint is found out', async () => {
    const less = [
      await statement(key, manifestOf([rangeOf(auth, 1, 5), rangeOf(secrets, 1, 3)])),
      ...lines.slice(1, 6),
      ...lines.slice(7),
    ];
    expect((await check(less)).finding).toMatchObject({ problem: 'truncated', chain: auth });
    const none = [await statement(key, manifestOf([]))];
    expect((await check(none)).finding).toMatchObject({ problem: 'truncated' });
    const twice = [await statement(key, manifestOf([...all(), rangeOf(auth, 1, 6)])), ...lines.slice(1)];
    expect((await check(twice)).finding).toMatchObject({ problem: 'unreadable' });
    const backwards = { ...rangeOf(auth, 5, 5), last: 4 };
    const empty = [await statement(key, manifestOf([backwards], checkpoint, [time, time]))];
    expect((await check(empty)).finding).toMatchObject({ problem: 'unreadable' });
    const quiet = [await statement(key, manifestOf([], checkpoint, [time, time]))];
    expect(await check(quiet)).toMatchObject({ finding: null, records: 0, manifest: { from: time, to: time } });
  });

  test('with its chains in another order, or interleaved, is found out', async () => {
    expect((await check([lines[0], ...lines.slice(7), ...lines.slice(1, 7)])).finding).toMatchObject({
      problem: 'out_of_order',
    });
    const interleaved = [...lines.slice(0, 6), ...lines.slice(7), lines[6]];
    expect((await check(interleaved)).finding).toMatchObject({ problem: 'out_of_order' });
  });

  test('is held against an older checkpoint that is known otherwise', async () => {
    const remade = { ...headOf(auth, 2), head: 'ab'.repeat(32) };
    const kept = await signStatement(key, 'reeve-checkpoint', checkpointOf(1, genesisHash, [remade]));
    const another = await signStatement(
      key,
      'reeve-checkpoint',
      checkpointOf(2, hashOfStatement(kept), [headOf(auth, 6), headOf(secrets, 3)]),
    );
    const manifest = await statement(key, manifestOf(all(), another));
    expect((await check([manifest, ...lines.slice(1)], { checkpoints: [kept] })).finding).toMatchObject({
      problem: 'differs_from_checkpoint',
      sequence: 2,
    });
    expect((await check(lines, { checkpoints: [kept] })).finding).toMatchObject({ problem: 'differs_from_checkpoint' });
    expect((await check(lines, { checkpoints: [first] })).finding).toBe(null);
    const period = [
      await statement(key, manifestOf([rangeOf(auth, 3, 5)], another, [time, time])),
      ...records.slice(2, 5).map(lineOf),
    ];
    expect((await check(period, { checkpoints: [kept] })).finding).toMatchObject({
      problem: 'differs_from_checkpoint',
    });
    expect((await check(lines, { checkpoints: [first, kept] })).finding).toMatchObject({
      problem: 'differs_from_checkpoint',
    });
  });

  test('is written in one way: no statement is taken that was touched and says the same', async () => {
    const { readStatement } = await import('./statements.ts');
    const [head = '', payload = '', signature = ''] = checkpoint.split('.');
    for (const touched of [
      `${checkpoint}=`,
      `${checkpoint} `,
      `${checkpoint}.`,
      ` ${checkpoint}`,
      `${head}=.${payload}.${signature}`,
    ])
      await expect(readStatement(touched, keys)).rejects.toMatchObject({ problem: 'unreadable' });
    const last = signature.at(-1) ?? '';
    const bits = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_').filter(
      one => one !== last,
    );
    for (const one of bits)
      await expect(readStatement(`${head}.${payload}.${signature.slice(0, -1)}${one}`, keys)).rejects.toThrow();
    expect(await readStatement(checkpoint, keys)).toMatchObject({ kind: 'reeve-checkpoint' });
  });

  test('has no statement with a member twice, in its header or in what it says', async () => {
    const { readStatement } = await import('./statements.ts');
    const [head = '', payload = ''] = checkpoint.split('.');
    const text = (part: string) => Buffer.from(part, 'base64url').toString();
    const signed = async (header: string, content: string) => {
      const parts = [header, content].map(part => Buffer.from(part).toString('base64url'));
      const { kty, crv, x, d } = key as { kty: string; crv: string; x: string; d: string };
      const signer = createPrivateKey({ key: { kty, crv, x, d }, format: 'jwk' });
      return [...parts, sign(null, Buffer.from(parts.join('.')), signer).toString('base64url')].join('.');
    };
    const [header, content] = [text(head), text(payload)];
    expect(await readStatement(await signed(header, content), keys)).toMatchObject({ kind: 'reeve-checkpoint' });
    for (const jws of [
      await signed(header.replace('{', '{"alg":"none",'), content),
      await signed(header.replace('{', '{"alg":"EdDSA",'), content),
      await signed(header.replace('{', '{"\\u0061lg":"none",'), content),
      await signed(header, content.replace('{', '{"number":7,')),
    ])
      await expect(readStatement(jws, keys)).rejects.toMatchObject({ problem: 'unreadable' });
  });

  test('moved to another tenant is found out', async () => {
    const foreign = { ...manifestOf(all()), tenantId: otherTenantId };
    expect((await check([await statement(key, foreign), ...lines.slice(1)])).finding).toMatchObject({
      problem: 'other_tenant',
    });
  });

  test('older than a checkpoint that is known otherwise is found out', async () => {
    const old = [await statement(key, manifestOf([rangeOf(auth, 1, 2)], first)), ...records.slice(0, 2).map(lineOf)];
    expect(await check(old)).toMatchObject({ finding: null, checkpoint: { number: 1 } });
    expect((await check(old, { checkpoints: [checkpoint] })).finding).toMatchObject({ problem: 'truncated' });
    expect((await check(lines, { checkpoints: [checkpoint] })).finding).toBe(null);
  });

  test('whose checkpoint forks from another is found out', async () => {
    const forkOf = async (content: Checkpoint) => signStatement(key, 'reeve-checkpoint', content);
    const chains = [headOf(auth, 6), headOf(secrets, 3)];
    const forks = [
      await forkOf({ ...checkpointOf(2, genesisHash, chains), time: '2026-11-22T00:00:00.000Z' }),
      await forkOf(checkpointOf(3, genesisHash, chains)),
      await forkOf(checkpointOf(3, hashOfStatement(checkpoint), [headOf(auth, 5), headOf(secrets, 3)])),
    ];
    for (const fork of forks)
      expect((await check(lines, { checkpoints: [fork] })).finding).toMatchObject({
        problem: 'differs_from_checkpoint',
      });
    expect(
      (await check(lines, { checkpoints: [await forkOf(checkpointOf(3, hashOfStatement(checkpoint), chains))] }))
        .finding,
    ).toBe(null);
  });

  test('of a stream without checkpoints, as the feed is, one from elsewhere shows the end', async () => {
    const body = lines.slice(1);
    const fed = (texts: readonly string[], checkpoints = [checkpoint]) => check(texts, { of: 'stream', checkpoints });
    expect(await fed(body)).toMatchObject({
      finding: null,
      records: 9,
      checkpoint: { number: 2 },
      beyondCheckpoint: 0,
    });
    expect(await fed(body, [first])).toMatchObject({ finding: null, checkpoint: { number: 1 }, beyondCheckpoint: 7 });
    expect((await fed(body.slice(0, 8))).finding).toMatchObject({ problem: 'truncated', chain: secrets });
    expect((await fed(body, [])).finding).toMatchObject({ problem: 'unsigned' });
  });

  test('on a topic, records may come again and checkpoints at any time, and the end is where the last checkpoint says', async () => {
    const stream = async (texts: readonly (string | undefined)[], since?: string) => {
      const verifier = createVerifier({ format: ndjson, keys, of: 'stream' });
      for (const text of texts) await verifier.add(text ?? '');
      return verifier.end(since);
    };
    const [one, two] = [ndjson.writeStatement(first), ndjson.writeStatement(checkpoint)];
    const body = lines.slice(1);
    expect(await stream([one, ...body, two])).toMatchObject({ records: 9, finding: null, beyondCheckpoint: 0 });
    expect(await stream([two, one, ...body.slice(0, 4), ...body.slice(2), two])).toMatchObject({
      records: 9,
      finding: null,
    });
    expect(await stream([one, ...body])).toMatchObject({ finding: null, beyondCheckpoint: 7 });
    const invented = chain({ hash: 'ab'.repeat(32), sequence: 99 }, event(100, auth));
    expect((await stream([two, lineOf(invented)])).finding).toMatchObject({ problem: 'truncated' });
    expect((await stream([two, lineOf(invented)], '2026-12-01T00:00:00.000Z')).finding).toMatchObject({
      problem: 'missing',
    });
    expect(await stream([...body.slice(3), two], time)).toMatchObject({
      finding: null,
      chains: [{ first: 4 }, { first: 1 }],
      since: time,
    });
    expect((await stream([...body.slice(0, 5), two])).finding).toMatchObject({ problem: 'truncated', sequence: 6 });
    expect((await stream([...body.slice(0, 6), two])).finding).toMatchObject({ problem: 'truncated', chain: secrets });
    expect((await stream([...body.slice(0, 6), two], '2026-12-01T00:00:00.000Z')).finding).toBe(null);
    expect((await stream([body[0], body[1], lineOf(chain(null, event(7, auth)))])).finding).toMatchObject({
      problem: 'out_of_order',
    });
  });

  test('a stream begins with the log unless it is said when it began, and then has what was chained since', async () => {
    const stream = (texts: readonly string[], since?: string) =>
      verifyLines(from(texts), { format: ndjson, keys, of: 'stream', since });
    const [one, two] = [ndjson.writeStatement(first), ndjson.writeStatement(checkpoint)];
    const body = lines.slice(1);
    const late = [one, ...body.slice(3), two];
    expect(await stream([one, ...body, two])).toMatchObject({ finding: null, since: null });
    expect((await stream(late)).finding).toMatchObject({ problem: 'missing', chain: auth, sequence: 4 });
    expect(await stream(late, time)).toMatchObject({ finding: null, since: time });
    // The first checkpoint says that record 2 was chained at `time`. Clocks may differ by less than a minute.
    expect((await stream(late, '2026-11-20T23:59:30.000Z')).finding).toBe(null);
    expect((await stream(late, '2026-11-20T23:58:00.000Z')).finding).toMatchObject({ problem: 'missing', sequence: 4 });
    for (const behind of [
      [...body.slice(3), two, one],
      [...body.slice(2), two, one],
      [one, ...body.slice(2), two],
    ]) {
      expect((await stream(behind, '2026-11-20T23:58:00.000Z')).finding).toMatchObject({ problem: 'missing' });
      expect((await stream(behind, time)).finding).toBe(null);
    }
  });

  test('a checkpoint of a stream counts when it was held against the records, early or late', async () => {
    const stream = (texts: readonly string[], checkpoints: string[] = []) =>
      check(texts, { of: 'stream', checkpoints });
    const [one, two] = [ndjson.writeStatement(first), ndjson.writeStatement(checkpoint)];
    const body = lines.slice(1);
    const forged: ChainedRecord[] = [];
    for (let n = 1; n <= 20_100; n += 1) {
      const last = forged.at(-1);
      forged.push(chain(last ? { hash: last.hash, sequence: n - 1 } : null, event(1_000 + n, auth)));
    }
    const others = forged.map(lineOf);
    expect((await stream([...others.slice(0, 9_000), one])).finding).toMatchObject({
      problem: 'differs_from_checkpoint',
    });
    expect((await stream([...others, one])).finding).toMatchObject({ problem: 'unsigned' });
    expect((await stream([two, ...body, one])).finding).toBe(null);
    const beyond = lineOf(chain({ hash: 'ab'.repeat(32), sequence: 6 }, event(100, auth)));
    for (const order of [
      [two, beyond],
      [beyond, two],
    ])
      expect((await stream(order)).finding).toMatchObject({ problem: 'differs_from_checkpoint', sequence: 6 });
    expect(await stream([one, ...body], [checkpoint])).toMatchObject({ finding: null, checkpoint: { number: 2 } });
    expect((await stream(body, ['no checkpoint'])).finding).toMatchObject({ line: 0 });
  });

  test('says whose it is, and what was and what was not held against it', async () => {
    const period = [
      await statement(key, manifestOf([rangeOf(auth, 3, 5)], checkpoint, [time, time])),
      ...records.slice(2, 5).map(lineOf),
    ];
    expect(await check(period, { checkpoints: [first] })).toMatchObject({
      tenantId,
      finding: null,
      chains: [{ chain: auth, first: 3, last: 5 }],
      checkpoint: {
        chains: [
          { chain: auth, size: 6 },
          { chain: secrets, size: 3 },
        ],
      },
      // Its record 2 is the one before the first here.
      given: [{ number: 1, chains: 1, held: 1 }],
      fieldsCompared: true,
    });
    expect(await check(period, { checkpoints: [checkpoint] })).toMatchObject({ given: [{ chains: 2, held: 0 }] });
    expect(await check(lines, { checkpoints: [checkpoint] })).toMatchObject({ given: [{ chains: 2, held: 2 }] });
    expect(await check(lines, { ignoreFields: true })).toMatchObject({ finding: null, fieldsCompared: false });
    expect(await verify([])).toMatchObject({ tenantId: null });
  });

  test('of another tenant than the one that it has to be of is refused', async () => {
    expect((await check(lines, { tenantId })).finding).toBe(null);
    expect((await check(lines, { tenantId: otherTenantId })).finding).toMatchObject({
      problem: 'other_tenant',
      line: 1,
    });
  });

  describe('of which records were removed', () => {
    /** What is left of some places of a chain. */
    const buried = async (
      places: readonly number[],
      changes: { chain?: string; hashes?: readonly string[]; tenantId?: string; by?: Key } = {},
    ) => {
      const { chain: of = auth, hashes = hashesOf(of), by = key, ...more } = changes;
      const removed = places.map(place => ({ first: place, hashes: [hashes[place - 1] ?? ''] }));
      const content = { tenantId, chain: of, time, reason: 'retention', reference: 'auth: 90 days', removed, ...more };
      return ndjson.writeStatement(await signStatement(by, 'reeve-tombstone', content as never));
    };
    const without = (places: readonly number[], of = lines) => of.filter((_, at) => !places.includes(at));

    test('a stream that begins with tombstones has what was held, and nothing else', async () => {
      const stream = (texts: readonly (string | undefined)[]) => check(texts, { of: 'stream' });
      const [body, two] = [lines.slice(1), ndjson.writeStatement(checkpoint)];
      const [three, six] = [await buried([1, 2, 3]), await buried([1, 2, 3, 4, 5, 6])];
      expect(await stream([three, body[1], ...body.slice(3), two])).toMatchObject({
        finding: null,
        records: 7,
        removed: 2,
      });
      expect(await stream([six, body[0], body[3], ...body.slice(6), two])).toMatchObject({
        finding: null,
        records: 5,
        removed: 4,
      });
      const forged = lineOf(chain(null, event(100, auth)));
      for (const order of [
        [two, six, forged],
        [six, forged, two],
      ])
        expect((await stream(order)).finding).toMatchObject({ problem: 'differs_from_tombstone', sequence: 1 });
    });

    test('verifies to the same roots, wherever the gap is', async () => {
      const [head, ...rest] = lines as [string, ...string[]];
      const gaps = [[1], [1, 2, 3], [3], [2, 3, 5], [6], [4, 5, 6], [1, 2, 3, 4, 5, 6]];
      for (const places of gaps) {
        const left = [
          head,
          await buried(places),
          ...without(
            places.map(place => place - 1),
            rest,
          ),
        ];
        expect(await check(left)).toMatchObject({ finding: null, records: 9 - places.length, removed: places.length });
        // Removals again, by parts, and of what is there nevertheless.
        const parts = await Promise.all(places.map(place => buried([place])));
        expect(await check([head, ...parts, ...left.slice(1)])).toMatchObject({ finding: null });
        expect(await check([head, ...parts, ...rest])).toMatchObject({ finding: null, records: 9, removed: 0 });
      }
      const none = [head, await buried([1, 2, 3, 4, 5, 6]), await buried([1, 2, 3], { chain: secrets })];
      expect(await check(none)).toMatchObject({ finding: null, records: 0, removed: 9 });
    });

    test('names the places that went, and why', async () => {
      const [head, ...rest] = lines as [string, ...string[]];
      const request = about.tombstoneOf(auth, [3], { reason: 'deletion_request', reference: 'del_1' });
      const asked = ndjson.writeStatement(await signStatement(key, 'reeve-tombstone', request));
      const left = [head, await buried([1, 2, 5]), asked, ...without([0, 1, 2, 4], rest)];
      const retention = { reason: 'retention', reference: 'auth: 90 days' };
      expect(await check(left)).toMatchObject({
        finding: null,
        removed: 4,
        chains: [
          {
            chain: auth,
            removed: [
              { first: 1, last: 2, ...retention },
              { first: 3, last: 3, reason: 'deletion_request', reference: 'del_1' },
              { first: 5, last: 5, ...retention },
            ],
          },
          { chain: secrets, removed: [] },
        ],
      });
    });

    test('of a period, where a tombstone tells of more than the period', async () => {
      const head = await statement(key, manifestOf([rangeOf(auth, 3, 5)], checkpoint, [time, time]));
      const five = lineOf(records[4] as ChainedRecord);
      expect(await check([head, await buried([1, 2, 3, 4]), five])).toMatchObject({ finding: null, removed: 2 });
      expect(await check([head, await buried([2, 3, 4, 5, 6])])).toMatchObject({ finding: null, removed: 3 });
      expect(await check([head, await buried([3]), five])).toMatchObject({
        finding: { problem: 'missing', sequence: 5 },
      });
    });

    test('is refused where a tombstone does not tell of what was there', async () => {
      const [head, ...rest] = lines as [string, ...string[]];
      const gap = without([2], rest);
      const made = hashesOf(auth).map((hash, at) => (at === 2 ? 'f'.repeat(64) : hash));
      const twice = hashesOf(auth).map((hash, at) => (at === 1 ? 'f'.repeat(64) : hash));
      const found = async (altered: string[]) => (await check(altered)).finding;
      expect(await found([head, ...gap])).toMatchObject({ problem: 'missing' });
      expect(await found([head, await buried([2]), ...gap])).toMatchObject({ problem: 'missing' });
      expect(await found([head, await buried([3], { hashes: made }), ...gap])).toMatchObject({
        problem: 'broken_link',
      });
      // Where no record follows that names the hash, the root of the checkpoint tells.
      const two = [head, await buried([2, 3], { hashes: twice }), ...without([1, 2], rest)];
      expect(await found(two)).toMatchObject({ problem: 'differs_from_checkpoint' });
      expect(await found([head, await buried([2], { hashes: twice }), ...rest])).toMatchObject({
        problem: 'differs_from_tombstone',
        sequence: 2,
      });
      const both = [head, await buried([3]), await buried([3], { hashes: made }), ...gap];
      expect(await found(both)).toMatchObject({ problem: 'differs_from_tombstone', sequence: 3 });
      expect(await found([await buried([3]), head, ...gap])).toMatchObject({ problem: 'unsigned' });
      expect(await found([head, await buried([3], { by: other }), ...gap])).toMatchObject({ problem: 'bad_signature' });
      const stranger = await buried([3], { tenantId: otherTenantId });
      expect(await found([head, stranger, ...gap])).toMatchObject({ problem: 'other_tenant' });
      const elsewhere = await buried([3], { chain: 'reeve.auth.v1/9', hashes: hashesOf(auth) });
      expect(await found([head, elsewhere, ...gap])).toMatchObject({ problem: 'not_in_manifest' });
      const late = [head, ...gap.slice(0, 3), await buried([3]), ...gap.slice(3)];
      expect(await found(late)).toMatchObject({ problem: 'missing' });
    });

    test('in what a sink or a feed delivered, where it comes when it comes', async () => {
      const stream = [lines[1], await buried([2, 3]), lines[4], await buried([1, 2]), lines[5], lines[6]];
      const twoOf = ndjson.writeStatement(first);
      expect(await check([...stream, twoOf], { of: 'stream' })).toMatchObject({
        finding: null,
        records: 4,
        removed: 2,
      });
      expect(await check([...stream.filter((_, at) => at !== 1), twoOf], { of: 'stream' })).toMatchObject({
        finding: { problem: 'missing' },
      });
      const end = ndjson.writeStatement(checkpoint);
      const none = [await buried([1, 2, 3, 4, 5, 6]), await buried([1, 2, 3], { chain: secrets }), end];
      expect(await check(none, { of: 'stream' })).toMatchObject({ finding: null, records: 0, removed: 9 });
      // Who begins in the middle is told of places that are before it, too.
      const middle = [await buried([1, 4]), ...lines.slice(5, 7), end];
      const given = { format: ndjson, keys, of: 'stream', since: time } as const;
      const found = await verifyLines(from([...middle, ...lines.slice(7)] as string[]), given);
      expect(found).toMatchObject({ finding: null, records: 5, chains: [{ first: 5 }, { first: 1 }] });
    });
  });
});
