import { generateKeyPairSync } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { openFile, readCheckpoint, readKeys, readProof } from './audit-verify-input.ts';
import { auth, file, grow, keyId, keySet, logOf, sampleLog } from './audit-verify-sample.ts';

const [own] = keySet.keys as [Record<string, unknown>];
const rsa = { ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }), kid: 'rsa' };
const ec = { ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), kid: keyId };
const keysFile = (keys: readonly unknown[], more: object = {}) =>
  file('set.json', JSON.stringify({ keys, ...more }, null, 2));

describe('a key file', () => {
  test('may hold keys of other kinds and uses, which are passed over', async () => {
    const others = [
      rsa,
      ec,
      { kty: 'OKP', crv: 'Ed448', kid: 'x', x: 'A'.repeat(76) },
      { kty: 'OKP', crv: 'X25519', kid: 'x', x: 'A'.repeat(43) },
      { kty: 'oct', kid: 'x' },
      { ...own, kid: 'enc', use: 'enc' },
      { ...own, alg: 'ES512' },
      { ...own, key_ops: ['sign'] },
      { kty: 'of the future' },
      null,
    ];
    const { kty, crv, x } = own;
    const used = { kty, crv, x, kid: keyId };
    expect(await readKeys(keysFile([...others, own], { note: 1 }))).toEqual({ keys: [used] });
    expect(await readKeys(keysFile([{ ...own, use: 'sig', alg: 'EdDSA', key_ops: ['verify'], x5c: [] }]))).toEqual({
      keys: [used],
    });
    // The private part of a key is not ours to see, and a key with it would verify nothing.
    expect(await readKeys(keysFile([{ ...own, d: 'A'.repeat(43) }]))).toEqual({ keys: [used] });
  });

  test.each([
    ['none that can have signed', JSON.stringify({ keys: [rsa, { ...own, kid: undefined }] }), 'none of its keys'],
    ['no keys', JSON.stringify({ keys: [] }), 'none of its keys'],
    ['a kid twice', JSON.stringify({ keys: [own, { ...own, x: 'A'.repeat(43) }] }), 'a kid is there twice'],
    ['half a key', JSON.stringify({ keys: [own, { ...own, kid: 'b', x: 'A'.repeat(42) }] }), 'is not whole'],
    ['a member twice', `{"keys":[{"kid":"other",${JSON.stringify(own).slice(1)}]}`, 'the member "kid" is there twice'],
    ['its keys twice', `{"keys":[],"keys":[${JSON.stringify(own)}]}`, 'the member "keys" is there twice'],
    ['a key alone', JSON.stringify(own), 'it has to be a JWK Set'],
    ['no JSON', '-----BEGIN PUBLIC KEY-----', 'is no JSON'],
  ])('with %s is refused', async (_, content, said) => {
    await expect(readKeys(file('refused.json', content))).rejects.toThrow(said);
  });
});

describe('a checkpoint', () => {
  test('is its JWS and nothing else', async () => {
    const { first, lines, manifest, rangeOf } = await sampleLog();
    expect(await readCheckpoint(file('first.jws', `${first}\n`))).toBe(first);
    const exported = await manifest(first, [rangeOf(auth, 1, 2)]);
    for (const content of [JSON.stringify({ jws: first }), lines[0] ?? '', exported, `${first}=`, '', 'text'])
      await expect(readCheckpoint(file('none.jws', content))).rejects.toThrow(
        'is no checkpoint: it has to hold the `jws`',
      );
  });
});

describe('a proof', () => {
  const log = logOf(grow(5));
  const proof = async () => log.inclusion(await log.checkpoint(1, null, { [auth]: 5 }), 2, 5);

  test('is read however it is laid out', async () => {
    const given = await proof();
    for (const indent of [0, 2])
      expect(await readProof(file('p.json', JSON.stringify(given, null, indent)))).toEqual(given);
  });

  test('with a member twice is not relied on, wherever the false one stands', async () => {
    const text = JSON.stringify(await proof());
    const false_ = JSON.stringify((await proof()).record.replace('user.created', 'user.deleted'));
    for (const twice of [
      text.replace('{', `{"record":${false_},`),
      text.replace(/\}$/, `,"record":${false_}}`),
      text.replace('{', '{"checkpoint":"x",'),
      text.replace('{', '{"pa\\u0074h":[],'),
    ])
      expect(await readProof(file('twice.json', twice))).toEqual({
        problem: expect.stringContaining('is there twice'),
      });
  });

  test('has no other members, and those of its kind', async () => {
    const given = await proof();
    for (const other of [{ ...given, note: '' }, { ...given, path: 'x' }, { record: given.record }, { chains: [] }])
      expect(await readProof(file('other.json', JSON.stringify(other)))).toEqual({
        problem: expect.stringContaining('it is not as a proof is written'),
      });
  });

  test.each(['{}', '[]', 'null', '"x"', '{"keys":[]}'])('is not %s', async content => {
    await expect(readProof(file('none.json', content))).rejects.toThrow('it is no proof: give the answer of');
  });
});

test('a file is unpacked where it is gzip, whatever it is called', async () => {
  const read = async (path: string) => {
    const chunks: Buffer[] = [];
    for await (const chunk of await openFile(path)) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };
  const text = 'a line\n'.repeat(50_000);
  expect(await read(file('a.log', gzipSync(text)))).toBe(text);
  // Parts that were put together.
  expect(await read(file('b', Buffer.concat([gzipSync('one\n'), gzipSync('two\n')])))).toBe('one\ntwo\n');
  expect(await read(file('unpacked.gz', text))).toBe(text);
  for (const short of ['', 'x', 'xy']) expect(await read(file('short', short))).toBe(short);
  await expect(read(file('cut', gzipSync(text).subarray(0, 50)))).rejects.toThrow();
  await expect(read('/none/such')).rejects.toThrow('ENOENT');
});
