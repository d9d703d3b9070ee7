import { createPrivateKey, X509Certificate } from 'node:crypto';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { RotationStep } from '../kind.ts';
import { newOwnKey, type OwnKeys, readPrivateKeys, rotateKeys, writePrivateKeys } from './keys.ts';

const now = new Date('2026-11-26T12:00:00.000Z');
let [first, secret]: [OwnKeys, string] = [[], ''];

beforeAll(async () => {
  const { certificate, privateKey } = await newOwnKey('reeve.example', now);
  first = [{ certificate, createdAt: now.toISOString() }];
  secret = writePrivateKeys([privateKey]);
});

const step = (which: RotationStep, keys: OwnKeys, kept: string) =>
  rotateKeys(keys, { step: which, readSecret: async () => kept, name: 'reeve.example', now });

/** What settings and secret are after these steps; the secret may have been written by a step that then was lost. */
async function after(...steps: RotationStep[]) {
  let state = { keys: first, secret };
  for (const which of steps) {
    const rotated = await step(which, state.keys, state.secret);
    state = { keys: rotated.keys, secret: rotated.secret ?? state.secret };
  }
  return state;
}

/** Whether each certificate has the private key that belongs to it. */
const works = (kept: string, keys: OwnKeys) =>
  readPrivateKeys(kept, keys).map(
    (pem, at) =>
      pem !== null && new X509Certificate(keys[at]?.certificate ?? '').checkPrivateKey(createPrivateKey(pem)),
  );

describe('our key', () => {
  test('is followed by another in three steps, and both work in between', async () => {
    const published = await after('publish');
    expect([published.keys[0], published.keys.length]).toEqual([first[0], 2]);
    const used = await after('publish', 'use');
    expect(used.keys.map(({ certificate }) => certificate === first[0]?.certificate)).toEqual([false, true]);
    const finished = await after('publish', 'use', 'finish');
    expect(finished.keys.map(({ certificate }) => certificate === first[0]?.certificate)).toEqual([false]);
    for (const { keys, secret: kept } of [published, used, finished])
      expect(works(kept, keys)).toEqual(keys.map(() => true));
    expect(readPrivateKeys(finished.secret, first)).toEqual([null]);
  });

  test.each<[RotationStep[], RotationStep, RotationStep]>([
    [[], 'use', 'publish'],
    [[], 'finish', 'publish'],
    [['publish'], 'publish', 'use'],
    [['publish'], 'finish', 'use'],
    [['publish', 'use'], 'use', 'finish'],
    [['publish', 'use'], 'publish', 'finish'],
    [['publish', 'use', 'finish'], 'finish', 'publish'],
  ])('after %j does not %s: it says that %s comes next', async (before, wrong, next) => {
    const { keys, secret: kept } = await after(...before);
    const refused = { code: 'key_rotation_state', message: expect.stringContaining(next) };
    await expect(step(wrong, keys, kept)).rejects.toMatchObject(refused);
    expect((await step(next, keys, kept)).keys.length).toBeGreaterThan(0);
  });

  test('that there is none of is not followed', async () => {
    await expect(step('publish', [], '[]')).rejects.toMatchObject({ code: 'connection_unsupported' });
  });

  test('works on when a step has written the secret and was lost before the settings', async () => {
    const lostAtPublish = await step('publish', first, secret);
    expect(works(lostAtPublish.secret ?? '', first)).toEqual([true]);
    const again = await step('publish', first, lostAtPublish.secret ?? '');
    expect(works(again.secret ?? '', again.keys)).toEqual([true, true]);

    const used = await after('publish', 'use');
    const lostAtFinish = await step('finish', used.keys, used.secret);
    expect(works(lostAtFinish.secret ?? '', used.keys)).toEqual([true, false]);
    const finished = await step('finish', used.keys, lostAtFinish.secret ?? '');
    expect(works(finished.secret ?? '', finished.keys)).toEqual([true]);
  });
});
