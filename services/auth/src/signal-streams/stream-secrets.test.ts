import { expect, test } from '@jest/globals';
import { newId, serviceCause } from '@reeve/contracts';
import { createStreamSecrets } from './stream-secrets.ts';

test('a header is given out for the address that it came with, and for no other', async () => {
  const kept = new Map<string, string>();
  const secrets = createStreamSecrets({
    vault: {
      put: async (_: unknown, { id }: { id: string }, text: string) => void kept.set(id, text),
      read: async (_: unknown, { id }: { id: string }) => Buffer.from(kept.get(id) ?? ''),
    } as never,
  });
  const of = { tenantId: newId('tenant'), streamId: 'stream', cause: serviceCause('auth', { correlationId: 'c' }) };
  await secrets.put(of, { header: 'Bearer theirs', endpointUrl: 'https://new.example/events' });
  expect(await secrets.read(of, 'https://new.example/events')).toBe('Bearer theirs');
  await expect(secrets.read(of, 'https://old.example/events')).rejects.toThrow('is for another address');
});
