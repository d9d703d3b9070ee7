import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { createKeyManagement, type KeyService } from './key-management.ts';
import { open, seal } from './sealing.ts';

const inMemory = (seen: (context: string) => string = context => context): KeyService => {
  const key = randomBytes(32);
  return {
    wrap: async (dataKey, context) => ({
      keyId: 'k',
      wrapped: seal(key, dataKey, seen(context)).toString('base64'),
    }),
    unwrap: async ({ wrapped }, context) => open(key, Buffer.from(wrapped, 'base64'), seen(context)),
  };
};
const alone = (service: KeyService) =>
  createKeyManagement({ wrapping: 'transit', services: new Map([['transit', service]]) });

describe('several kinds of key management', () => {
  const [file, transit] = [inMemory(), inMemory()];
  const before = createKeyManagement({ wrapping: 'key_file', services: new Map([['key_file', file]]) });
  const dataKey = randomBytes(32);

  test('wrap by one, and open what the other has wrapped', async () => {
    const both = createKeyManagement({
      wrapping: 'transit',
      services: new Map([
        ['transit', transit],
        ['key_file', file],
      ]),
    });
    const old = await before.wrap(dataKey, 'context');
    const fresh = await both.wrap(dataKey, 'context');
    expect([old.kind, fresh.kind]).toEqual(['key_file', 'transit']);
    expect([await both.unwrap(old, 'context'), await both.unwrap(fresh, 'context')]).toEqual([dataKey, dataKey]);
    await expect(both.unwrap({ ...old, kind: 'transit' }, 'context')).rejects.toThrow();
  });

  test('name what is wrapped by one that is not there any more', async () => {
    const old = await before.wrap(dataKey, 'context');
    await expect(alone(transit).unwrap(old, 'context')).rejects.toMatchObject({
      code: 'key_unusable',
      cause: { message: expect.stringContaining('key_file') },
    });
  });
});

describe('before a service starts', () => {
  test('a key that ties what it wraps to its context will do', async () => {
    await alone(inMemory()).assertUsable();
  });

  test('one that opens for any context is refused', async () => {
    await expect(alone(inMemory(() => '')).assertUsable()).rejects.toMatchObject({
      code: 'key_unusable',
      cause: { message: expect.stringContaining('does not authenticate the context') },
    });
  });

  test('one that gives back another key than was wrapped is refused', async () => {
    const lying = { ...inMemory(), unwrap: async () => randomBytes(32) };
    await expect(alone(lying).assertUsable()).rejects.toMatchObject({ code: 'key_service_unavailable' });
  });
});
