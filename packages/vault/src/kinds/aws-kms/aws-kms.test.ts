// The adapter against a server that lies. What moto answers, which speaks as KMS, is in
// test/src/peers/key-services.peers.test.ts.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KeyService } from '../../key-management.ts';
import { json, lies, startLyingServer } from '../lying-server.test-support.ts';
import { createAwsKms } from './aws-kms.ts';

const arnOf = (account: string) => `arn:aws:kms:eu-central-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`;
const [keyArn, formerArn, foreignArn] = [arnOf('111111111111'), arnOf('222222222222'), arnOf('333333333333')];
const dataKey = Buffer.alloc(32, 7);
const plaintext = dataKey.toString('base64');
const wrapped = { keyId: keyArn, wrapped: 'AAAA' };
const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

let server: Awaited<ReturnType<typeof startLyingServer>>;
let kms: KeyService;

beforeAll(async () => {
  Object.assign(process.env, credentials);
  server = await startLyingServer();
  kms = createAwsKms({ keyArn, formerKeyArns: [formerArn], endpoint: server.url, timeoutMs: 1_000 });
});
afterAll(async () => {
  for (const name of Object.keys(credentials)) delete process.env[name];
  await server.stop();
});

describe('AWS KMS', () => {
  test('wraps with the context, in the region of the key, and unwraps', async () => {
    server.says(json(200, { KeyId: keyArn, CiphertextBlob: 'AAAA' }));
    expect(await kms.wrap(dataKey, 'context')).toEqual(wrapped);
    const [asked] = server.asked;
    expect(asked?.body).toEqual({ KeyId: keyArn, Plaintext: plaintext, EncryptionContext: { binding: 'context' } });
    expect(asked?.headers.authorization).toContain('/eu-central-1/kms/');
    server.says(json(200, { KeyId: keyArn, Plaintext: plaintext }));
    expect(await kms.unwrap(wrapped, 'context')).toEqual(dataKey);
  });

  test('opens by a former key that is configured, and asks for no other', async () => {
    server.says(json(200, { KeyId: formerArn, Plaintext: plaintext }));
    expect(await kms.unwrap({ ...wrapped, keyId: formerArn }, 'context')).toEqual(dataKey);
    server.says(json(200, { KeyId: foreignArn, Plaintext: plaintext }));
    await expect(kms.unwrap({ ...wrapped, keyId: foreignArn }, 'context')).rejects.toMatchObject({
      code: 'key_unusable',
    });
    expect(server.asked).toEqual([]);
  });

  test('that has used another key than the one asked for is not believed', async () => {
    server.says(json(200, { KeyId: foreignArn, Plaintext: plaintext, CiphertextBlob: 'AAAA' }));
    const unavailable = { code: 'key_service_unavailable' };
    await expect(kms.unwrap(wrapped, 'context')).rejects.toMatchObject(unavailable);
    await expect(kms.wrap(dataKey, 'context')).rejects.toMatchObject(unavailable);
  });

  test.each(Object.entries(lies))('whose answer %s is as one that is away', async (_, say) => {
    server.says(say);
    const reason = { code: 'key_service_unavailable' };
    const both = await Promise.allSettled([kms.wrap(dataKey, 'context'), kms.unwrap(wrapped, 'context')]);
    expect(both).toMatchObject([{ reason }, { reason }]);
    expect(server.asked.length).toBeLessThanOrEqual(6);
  });

  test.each([
    ['AccessDeniedException', 'key_service_denied'],
    ['ExpiredTokenException', 'key_service_denied'],
    ['DisabledException', 'key_unusable'],
    ['KMSInvalidStateException', 'key_unusable'],
    ['NotFoundException', 'key_unusable'],
    ['ThrottlingException', 'key_service_unavailable'],
  ])('that says %s has the code %s', async (type, code) => {
    server.says(json(400, { __type: type, message: 'no' }));
    await expect(kms.unwrap(wrapped, 'context')).rejects.toMatchObject({ code });
  });

  test('that says that the context is another one is no problem of ours', async () => {
    server.says(json(400, { __type: 'InvalidCiphertextException' }));
    const error = await kms.unwrap(wrapped, 'another').catch((refused: unknown) => refused);
    expect(error).toMatchObject({ name: 'Error', message: 'a wrapped key does not open' });
  });
});
